/** Checks of attribute values, with the reasons in neutron's words. */
import { python } from '../../base/http/validate.ts'
import { formatIp, parseCidr, parseIp } from '../ipam/ip.ts'
import type { Check } from './attributes.ts'

const show = (value: unknown): string => (typeof value === 'string' ? value : python(value))

/** The first of several reasons. */
export const all =
  (...checks: Check[]): Check =>
  (value) => {
    for (const check of checks) {
      const reason = check(value)
      if (reason !== undefined) return reason
    }
    return undefined
  }

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value)

export const text =
  (maxLength?: number): Check =>
  (value) => {
    if (typeof value !== 'string') return `'${show(value)}' is not a valid string`
    if (maxLength !== undefined && value.length > maxLength)
      return `'${value}' exceeds maximum length of ${maxLength}`
    return undefined
  }

export const filledText = (maxLength?: number): Check =>
  all(text(maxLength), (value) =>
    (value as string).trim() === '' ? `'${value}' Blank strings are not permitted` : undefined,
  )

export const oneLine = (maxLength?: number): Check =>
  all(filledText(maxLength), (value) =>
    (value as string).includes('\n') ? `Multi-line string is not allowed: '${value}'` : undefined,
  )

export const oneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value) ? undefined : `${show(value)} is not in ${python(allowed)}`

export const uuid: Check = (value) =>
  typeof value === 'string' && /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(value)
    ? undefined
    : `'${show(value)}' is not a valid UUID`

export const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return `'${show(value)}' is not a list`
    const double = value.filter((item, index) => value.indexOf(item) !== index)
    if (double.length > 0) return `Duplicate items in the list: '${double.map(show).join(', ')}'`
    for (const item of value) {
      const reason = check(item)
      if (reason !== undefined) return reason
    }
    return undefined
  }

export const range =
  (min: number, max: number): Check =>
  (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return `'${show(value)}' is not an integer`
    if (value < min) return `'${value}' is too small - must be at least '${min}'`
    if (value > max) return `'${value}' is too large - must be no larger than '${max}'`
    return undefined
  }

/** What an integer column holds in every database. */
const most = 2_147_483_647

export const nonNegative: Check = (value) => {
  if (typeof value !== 'number' || !Number.isInteger(value)) return `'${show(value)}' is not an integer`
  if (value < 0) return `'${value}' should be non-negative`
  return value > most ? `'${value}' is too large - must be no larger than '${most}'` : undefined
}

export const dictionary: Check = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? undefined
    : `'${show(value)}' is not a dictionary`

export const ipAddress: Check = (value) => {
  const ip = typeof value === 'string' ? parseIp(value) : undefined
  if (ip === undefined) return `'${show(value)}' is not a valid IP address`
  return undefined
}

export const mac: Check = (value) =>
  typeof value === 'string' &&
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value) &&
  !/^(00(:00){5}|ff(:ff){5})$/i.test(value)
    ? undefined
    : `'${show(value)}' is not a valid MAC address`

export const subnet: Check = (value) => {
  const cidr = typeof value === 'string' ? parseCidr(value) : undefined
  if (cidr === undefined) return `'${show(value)}' is not a valid IP subnet`
  if (!(value as string).includes('/'))
    return `'${value}' isn't a recognized IP subnet cidr, '${value}/${cidr.prefixLength}' is recommended`
  return undefined
}

export const ipOrSubnet: Check = (value) =>
  ipAddress(value) === undefined || subnet(value) === undefined
    ? undefined
    : `'${show(value)}' is neither a valid IP address, nor is it a valid IP subnet`

export const routeCidr: Check = (value) => {
  const cidr = typeof value === 'string' ? parseCidr(value) : undefined
  if (cidr === undefined) return `'${show(value)}' is not a valid CIDR`
  const network = `${formatIp(cidr.version, cidr.first)}/${cidr.prefixLength}`
  if (network !== value) return `'${value}' is not a recognized CIDR, '${network}' is recommended`
  return undefined
}

/** Exactly these keys. */
export const keys =
  (...expected: readonly string[]): Check =>
  (value) => {
    if (dictionary(value) !== undefined)
      return `Invalid input. '${show(value)}' must be a dictionary with keys: ${python(expected)}`
    const provided = Object.keys(value as object)
    if (provided.length === expected.length && expected.every((key) => provided.includes(key)))
      return undefined
    return `Validation of dictionary's keys failed. Expected keys: ${pythonSet(expected)} Provided keys: ${pythonSet(provided)}`
  }

const pythonSet = (items: readonly string[]): string => `{${items.map((item) => `'${item}'`).join(', ')}}`

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

/** A host name or a fully qualified one; empty is fine. */
export const dnsName =
  (maxLength: number): Check =>
  (value) => {
    const reason = text()(value)
    if (reason !== undefined || value === '') return reason
    const trimmed = (value as string).replace(/\.$/, '')
    const why = (said: string) => `'${value}' not a valid PQDN or FQDN. Reason: ${said}`
    if (trimmed.length > maxLength) return why(`'${trimmed}' exceeds the ${maxLength} character FQDN limit`)
    const labels = trimmed.split('.')
    for (const part of labels) {
      if (part === '') return why('Encountered an empty component')
      if (part.startsWith('-') || part.endsWith('-'))
        return why(`Name '${part}' must not start or end with a hyphen`)
      if (!label.test(part))
        return why(
          `Name '${part}' must be 1-63 characters long, each of which can only be alphanumeric or a hyphen`,
        )
    }
    if (labels.length > 1 && /^\d+$/.test(labels.at(-1)!))
      return why(`TLD '${labels.at(-1)}' must not be all numeric`)
    return undefined
  }

export const dnsDomain =
  (maxLength: number): Check =>
  (value) => {
    const reason = text()(value)
    if (reason !== undefined || value === '') return reason
    if (!(value as string).endsWith('.')) return `'${value}' is not a FQDN`
    return dnsName(maxLength)(value)
  }
