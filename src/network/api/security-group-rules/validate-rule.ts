/** What makes a security group rule one that can be applied. */
import { invalid } from '../../errors.ts'
import { parseCidr } from '../../ipam/ip.ts'
import { protocolNumber, protocolNumbers } from '../../store/security-groups.ts'

export interface RuleValues {
  direction: string
  ethertype: string
  protocol: string | null
  port_range_min: number | null
  port_range_max: number | null
  remote_ip_prefix: string | null
  remote_group_id: string | null
  remote_address_group_id: string | null
}

const withPorts = new Set([6, 17, 33, 132, 136])
const icmp = new Set([1, 58])
const ipv6Only = new Set([41, 43, 44, 58, 59, 60])
const legacyIcmpv6 = new Set(['icmp', 'icmpv6'])

/** The rule in the form that is stored; throws neutron's reason when there is none. */
export function validRule(given: RuleValues): RuleValues {
  const rule = { ...given }
  if (rule.ethertype === 'IPv6' && rule.protocol !== null) {
    if (legacyIcmpv6.has(rule.protocol)) rule.protocol = 'ipv6-icmp'
    if (rule.protocol === '1') rule.protocol = '58'
  }
  // Every port is no restriction at all.
  if (rule.port_range_min === 1 && rule.port_range_max === 65535) {
    rule.port_range_min = null
    rule.port_range_max = null
  }
  assertPorts(rule)
  rule.remote_ip_prefix = checkedPrefix(rule)
  const number = rule.protocol === null ? undefined : protocolNumber(rule.protocol)
  if (rule.ethertype === 'IPv4' && number !== undefined && ipv6Only.has(number)) {
    throw invalid(
      'SecurityGroupEthertypeConflictWithProtocol',
      `Invalid ethertype ${rule.ethertype} for protocol ${rule.protocol}.`,
    )
  }
  const remotes = [rule.remote_ip_prefix, rule.remote_group_id, rule.remote_address_group_id]
  if (remotes.filter((remote) => remote !== null).length > 1) {
    throw invalid(
      'SecurityGroupMultipleRemoteEntites',
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
    )
  }
  return rule
}

function assertPorts(rule: RuleValues): void {
  const { port_range_min: min, port_range_max: max } = rule
  if (min === null && max === null) return
  if (rule.protocol === null) {
    throw invalid(
      'SecurityGroupProtocolRequiredWithPorts',
      'Must also specify protocol if port range is given.',
    )
  }
  const number = protocolNumber(rule.protocol)
  if (withPorts.has(number)) {
    if (min === 0 || max === 0) throw invalid('SecurityGroupInvalidPortValue', 'Invalid value for port 0')
    if (min === null || max === null || min > max) {
      throw invalid(
        'SecurityGroupInvalidPortRange',
        'For TCP/UDP protocols, port_range_min must be <= port_range_max',
      )
    }
  } else if (icmp.has(number)) {
    for (const [attribute, field, value] of [
      ['port_range_min', 'type', min],
      ['port_range_max', 'code', max],
    ] as const) {
      if (value === null || (value >= 0 && value <= 255)) continue
      throw invalid(
        'SecurityGroupInvalidIcmpValue',
        `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`,
      )
    }
    if (min === null) {
      throw invalid(
        'SecurityGroupMissingIcmpType',
        `ICMP code (port-range-max) ${max} is provided but ICMP type (port-range-min) is missing.`,
      )
    }
  } else {
    throw invalid(
      'SecurityGroupInvalidProtocolForPort',
      `Ports cannot be specified for protocol ${number}. Ports are only supported for TCP, UDP, UDPLITE, SCTP, DCCP.`,
    )
  }
}

function checkedPrefix(rule: RuleValues): string | null {
  if (rule.remote_ip_prefix === null) return null
  const cidr = parseCidr(rule.remote_ip_prefix)!
  if (rule.ethertype !== `IPv${cidr.version}`) {
    throw invalid(
      'SecurityGroupRuleParameterConflict',
      `Conflicting value ethertype ${rule.ethertype} for CIDR ${rule.remote_ip_prefix}`,
    )
  }
  return rule.remote_ip_prefix.includes('/')
    ? rule.remote_ip_prefix
    : `${rule.remote_ip_prefix}/${cidr.prefixLength}`
}

/** A protocol as it is stored: a known name in lower case, or a number as text. */
export function toProtocol(value: unknown): string | null {
  if (value === null || value === '' || value === 'any') return null
  const text = String(value).toLowerCase()
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 0 && number <= 255) return String(number)
  if (text in protocolNumbers) return text
  const names = `[None, ${Object.keys(protocolNumbers)
    .map((name) => `'${name}'`)
    .join(', ')}]`
  throw invalid(
    'SecurityGroupRuleInvalidProtocol',
    `Security group rule protocol ${text} not supported. Only protocol values ${names} and integer representations [0 to 255] are supported.`,
  )
}

export function toPort(value: unknown): number | null {
  if (value === null) return null
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65535) return number
  throw invalid('SecurityGroupInvalidPortValue', `Invalid value for port ${String(value)}`)
}
