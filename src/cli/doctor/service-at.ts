/** Which OpenStack service answers at a URL, as its version document tells. */
import { Fault } from '../../base/errors.ts'
import { sendByHttp } from '../../base/http/send-by-http.ts'

export type ServiceType = 'identity' | 'image' | 'placement' | 'compute' | 'network'

export type Answer =
  /** `clock`: what its Date header says, in milliseconds since the epoch. */
  | { is: ServiceType; clock: number | undefined }
  | { is: 'html' | 'something else'; status: number; clock: number | undefined }

interface Version {
  id?: string
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
  return is === undefined ? { is: 'something else', status: reply.status, clock } : { is, clock }
}

function parse(url: string): URL {
  try {
    return new URL(url.replaceAll('%(', '(').replaceAll('$(', '('))
  } catch (error) {
    throw new Fault('invalid', `${url} is no URL`, { url }, error)
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
