/** Microversions as numbers: `2.90` is 2090, so that they compare as they sort. */
import { Fault } from '../errors.ts'

export type Microversion = number

export interface VersionRange {
  /** The service type of the `OpenStack-API-Version` header: `compute`, `placement`. */
  service: string
  min: string
  max: string
  /** A header that means the same without the service type: `X-OpenStack-Nova-API-Version`. */
  legacyHeader?: string
}

/** `2.90` → 2090; throws `invalid` for anything that is not MAJOR.MINOR. */
export function parseVersion(text: string): Microversion {
  const match = /^([1-9]\d*)\.(0|[1-9]\d{0,2})$/.exec(text)
  if (match === null) {
    throw new Fault(
      'invalid',
      `API Version String ${text} is of invalid format. Must be of format MajorNum.MinorNum.`,
    )
  }
  return Number(match[1]) * 1000 + Number(match[2])
}

export const showVersion = (version: Microversion): string =>
  `${Math.floor(version / 1000)}.${version % 1000}`

/** The version a request asks for: the minimum without a header; `not-acceptable` out of range. */
export function requestedVersion(
  range: VersionRange,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Microversion {
  const asked = askedFor(range, headers)
  if (asked === undefined) return parseVersion(range.min)
  if (asked === 'latest') return parseVersion(range.max)
  const version = parseVersion(asked)
  if (version < parseVersion(range.min) || version > parseVersion(range.max)) {
    throw new Fault(
      'not-acceptable',
      `Version ${asked} is not supported by the API. Minimum is ${range.min} and maximum is ${range.max}.`,
      { minVersion: range.min, maxVersion: range.max },
    )
  }
  return version
}

function askedFor(range: VersionRange, headers: Readonly<Record<string, string | string[] | undefined>>) {
  const standard = headers['openstack-api-version']
  for (const part of (Array.isArray(standard) ? standard.join(',') : (standard ?? '')).split(',')) {
    const words = part.trim().split(/\s+/)
    if (words[0]?.toLowerCase() !== range.service) continue
    if (words.length === 2) return words[1]
    throw new Fault('invalid', `Invalid OpenStack-API-Version header: ${part.trim()}`)
  }
  if (range.legacyHeader === undefined) return undefined
  const legacy = headers[range.legacyHeader.toLowerCase()]
  return Array.isArray(legacy) ? legacy[0] : legacy
}

/** The headers of every answer of a service with microversions. */
export function versionHeaders(range: VersionRange, version: Microversion): Record<string, string> {
  const shown = showVersion(version)
  const headers: Record<string, string> = { 'openstack-api-version': `${range.service} ${shown}` }
  if (range.legacyHeader !== undefined) headers[range.legacyHeader.toLowerCase()] = shown
  headers['vary'] =
    range.legacyHeader === undefined
      ? 'openstack-api-version'
      : `OpenStack-API-Version, ${range.legacyHeader}`
  return headers
}
