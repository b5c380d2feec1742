/** What bodies and filters may say in several ways is made one. */
import { python } from '../../base/http/validate.ts'
import { badRequest, invalidInput } from '../errors.ts'
import { canonicalIp, formatIp, parseIp } from '../ipam/ip.ts'

const shown = (value: unknown): string => (typeof value === 'string' ? value : python(value))

/** true, 'true', 'True', 1, '1' and their opposites. */
export function toBoolean(value: unknown): boolean {
  const text = String(value).toLowerCase()
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw invalidInput(`'${shown(value)}' cannot be converted to boolean`)
}

/** A number, or its text. */
export function toInteger(value: unknown): number {
  if (typeof value === 'number') return Math.trunc(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return Number(value)
  throw invalidInput(`'${shown(value)}' is not an integer`)
}

/** Null stays null. */
export const orNull =
  <T>(convert: (value: unknown) => T) =>
  (value: unknown): T | null =>
    value === null ? null : convert(value)

export const nullToList = (value: unknown): unknown => (value === null ? [] : value)
export const nullToObject = (value: unknown): unknown => (value === null ? {} : value)
export const nullToEmpty = (value: unknown): unknown => (value === null ? '' : value)

/** One spelling for each address; what is no address is left for the check to refuse. */
export const toCanonicalIp = (value: unknown): unknown =>
  typeof value === 'string' ? canonicalIp(value) : value

/** The address part in its one spelling, the prefix length as given. */
export function toCanonicalCidr(value: unknown): unknown {
  if (typeof value !== 'string') throw invalidInput(`${shown(value)} is not in a CIDR format`)
  const [address, ...prefix] = value.split('/')
  const ip = parseIp(address!)
  if (ip === undefined) throw invalidInput(`${value} is not in a CIDR format`)
  return [formatIp(ip.version, ip.value), ...prefix].join('/')
}

/** Lower case with colons. */
export function toMac(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const digits = value.replaceAll(/[:.-]/g, '').toLowerCase()
  return /^[0-9a-f]{12}$/.test(digits) ? digits.replaceAll(/(..)(?=.)/g, '$1:') : value
}

export function toLowerCase(value: unknown): string {
  if (typeof value !== 'string') throw invalidInput(`Input value ${shown(value)} must be string type`)
  return value.toLowerCase()
}

/** `ip_address=10.0.0.1` and the like, as filters by parts of a structure are written. */
export function toPairs(values: readonly string[]): Map<string, string[]> {
  const pairs = new Map<string, string[]>()
  for (const value of values) {
    const at = value.indexOf('=')
    if (at <= 0) throw invalidInput(`'${value}' is not of the form <key>=[value]`)
    const key = value.slice(0, at)
    pairs.set(key, [...(pairs.get(key) ?? []), value.slice(at + 1)])
  }
  return pairs
}

/** Fails as neutron does for a body part that is of a wrong type altogether. */
export function expectObject(value: unknown, what: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badRequest(`Object '${what}' contains invalid data`)
  return value as Record<string, unknown>
}
