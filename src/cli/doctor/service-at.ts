/** Which OpenStack service answers at a URL, as its version document tells. */
import { Fault } from '../../base/errors.ts'
import { sendByHttp } from '../../base/http/send-by-http.ts'
import { versionHeader } from '../../base/version.ts'

export type ServiceType = 'identity' | 'image' | 'placement' | 'compute' | 'network'

export type Answer =
  /** `clock`: what its Date header says, in milliseconds since the epoch. */
  | { is: ServiceType; clock: number | undefined; whose: Whose }
  | { is: 'html' | 'something else'; status: number; clock: number | undefined }

export interface Whose {
  /** Version of Kilonova; undefined when the service is OpenStack's own. */
  kilonova: string | undefined
  /** The newest version of its API, `v3.14`. */
  api: string
  /** `2.1 to 2.93`, where the API has microversions. */
  microversions: string | undefined
  /** OpenStack's release, where the microversion tells. */
  release: string | undefined
}

interface Version {
  id?: string
  version?: string
  min_version?: string
  max_version?: string
}

/** Asks the root of the service. A Fault `unavailable` when nothing answers. */
export async function serviceAt(url: string): Promise<Answer> {
  const { origin, pathname } = parse(url)
  // In catalogs a version or a project follows the root: http://controller:8774/v2.1/%(tenant_id)s.
  const root = pathname.replace(/\/v\d.*$/, '').replace(/\/+$/, '')
  const reply = await sendByHttp(origin, { timeoutSeconds: 10 })({
    method: 'GET',
    path: `${root}/`,
    headers: { accept: 'application/json' },
  })
  const date = Date.parse(reply.headers['date'] ?? '')
  const clock = Number.isNaN(date) ? undefined : date
  if (typeof reply.body === 'string') {
    const is = /<html|<!doctype/i.test(reply.body) ? 'html' : 'something else'
    return { is, status: reply.status, clock }
  }
  const is = typeOf(reply.body)
  if (is === undefined) return { is: 'something else', status: reply.status, clock }
  return { is, clock, whose: whoseOf(is, reply.body, reply.headers[versionHeader]) }
}

function parse(url: string): URL {
  try {
    return new URL(url.replaceAll('%(', '(').replaceAll('$(', '('))
  } catch (error) {
    throw new Fault('invalid', `${url} is no URL`, { url }, error)
  }
}

/** The last microversion of compute in each release, as its API history has them. */
const releases: readonly (readonly [microversion: number, release: string])[] = [
  [53, 'Pike'],
  [60, 'Queens'],
  [65, 'Rocky'],
  [72, 'Stein'],
  [79, 'Train'],
  [87, 'Ussuri or Victoria'],
  [88, 'Wallaby'],
  [90, 'Xena or Yoga'],
  [93, 'Zed'],
  [95, '2023.1 or 2023.2'],
  [96, '2024.1 or 2024.2'],
]

function whoseOf(is: ServiceType, body: unknown, kilonova: string | undefined): Whose {
  const { versions } = body as { versions: Version[] | { values: Version[] } }
  const all = Array.isArray(versions) ? versions : versions.values
  // Images' go from new to old, those of compute from old to new.
  const newest = all.find(({ min_version }) => min_version) ?? all[0] ?? {}
  const last = newest.max_version ?? newest.version
  const release = is === 'compute' ? releases.find(([minor]) => `2.${minor}` === last)?.[1] : undefined
  return {
    kilonova,
    api: newest.id ?? 'of no version',
    microversions: newest.min_version ? `${newest.min_version} to ${last}` : undefined,
    release,
  }
}

function typeOf(body: unknown): ServiceType | undefined {
  const { versions } = (body ?? {}) as { versions?: Version[] | { values?: Version[] } }
  if (versions === undefined) return undefined
  if (!Array.isArray(versions)) return Array.isArray(versions.values) ? 'identity' : undefined
  if (versions.some(({ max_version }) => max_version?.startsWith('1.'))) return 'placement'
  // Image has versions of these names too, without microversions.
  if (versions.some(({ id, min_version }) => id === 'v2.1' && min_version !== undefined)) return 'compute'
  const ids = versions.map(({ id }) => id ?? '')
  if (ids.length === 1 && ids[0] === 'v2.0') return 'network'
  return ids.length > 0 && ids.every((id) => /^v2\.\d+$|^v1/.test(id)) ? 'image' : undefined
}
