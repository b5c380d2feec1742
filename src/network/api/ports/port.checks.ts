/** Checks of the lists that a port's body may hold. */
import { badRequest, invalid } from '../../errors.ts'
import type { Check } from '../attributes.ts'
import * as check from '../checks.ts'

const object = (value: unknown): Record<string, unknown> | undefined =>
  check.dictionary(value) === undefined ? (value as Record<string, unknown>) : undefined

export const fixedIps: Check = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for fixed IP: '${String(value)}'`
  const seen = new Set<unknown>()
  for (const item of value) {
    const ip = object(item)
    if (ip === undefined) return `Invalid data format for fixed IP: '${String(item)}'`
    if ('ip_address' in ip) {
      if (seen.has(ip['ip_address'])) return `Duplicate IP address '${String(ip['ip_address'])}'`
      const reason = check.ipAddress(ip['ip_address'])
      if (reason !== undefined) return reason
      seen.add(ip['ip_address'])
    }
    const reason = 'subnet_id' in ip ? check.uuid(ip['subnet_id']) : undefined
    if (reason !== undefined) return reason
  }
  return undefined
}

export const addressPairs =
  (most: number): Check =>
  (value) => {
    if (!Array.isArray(value)) throw badRequest('Allowed address pairs must be a list.')
    if (value.length > most) {
      throw invalid(
        'AllowedAddressPairExhausted',
        `The number of allowed address pair exceeds the maximum ${most}.`,
      )
    }
    const seen = new Set<string>()
    for (const item of value) {
      const pair = object(item)
      if (pair === undefined) return check.dictionary(item)
      assertPair(pair)
      const text = `mac_address ${pair['mac_address'] ?? 'None'} ip_address ${pair['ip_address']}`
      if (seen.has(text)) {
        throw invalid('DuplicateAddressPairInRequest', `Request contains duplicate address pair: ${text}.`)
      }
      seen.add(text)
    }
    return undefined
  }

function assertPair(pair: Record<string, unknown>): void {
  const macReason = 'mac_address' in pair ? check.mac(pair['mac_address']) : undefined
  if (macReason !== undefined) throw badRequest(macReason)
  if (!('ip_address' in pair))
    throw invalid('AllowedAddressPairsMissingIP', 'AllowedAddressPair must contain ip_address')
  const extra = Object.keys(pair).filter((key) => key !== 'mac_address' && key !== 'ip_address')
  if (extra.length > 0) throw badRequest(`Unrecognized attribute(s) '${extra.join(', ')}'`)
  const address = pair['ip_address']
  const reason =
    typeof address === 'string' && address.includes('/') ? check.subnet(address) : check.ipAddress(address)
  if (reason !== undefined) throw badRequest(reason)
}

export const dhcpOptions: Check = (value) => {
  if (value === null) return undefined
  if (!Array.isArray(value)) return `'${String(value)}' is not a list`
  const seen = new Set<string>()
  for (const item of value) {
    const option = object(item)
    if (option === undefined) return check.dictionary(item)
    const extra = Object.keys(option).filter((key) => !['opt_name', 'opt_value', 'ip_version'].includes(key))
    const text = JSON.stringify(option)
    if (extra.length > 0) return `Unexpected keys supplied: ${extra.join(', ')}`
    if (!('opt_name' in option) || !('opt_value' in option)) return `No valid key specs matched for: ${text}`
    const reason =
      check.oneLine(64)(option['opt_name']) ??
      check.orNull(check.text(255))(option['opt_value']) ??
      ('ip_version' in option ? check.oneOf(4, 6)(Number(option['ip_version'])) : undefined)
    if (reason !== undefined) return reason
    const key = `${option['opt_name']} ${option['ip_version'] ?? 4}`
    if (seen.has(key)) return `Duplicate items in the list: '${option['opt_name']}'`
    seen.add(key)
  }
  return undefined
}
