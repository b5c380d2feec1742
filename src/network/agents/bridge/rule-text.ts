/** Security group rules in the words of iptables, spelled as iptables-save prints them. */
import ipaddr from 'ipaddr.js'
import type { SecurityGroupRule } from '../../rpc/rules.ts'
import { type CloudNames, setName } from '../names.ts'

export type Family = 'ipv4' | 'ipv6'
export type ProtocolNames = ReadonlyMap<number, string>

/** The protocols with ports, and iptables' match for each. */
const withPorts = new Set(['tcp', 'udp', 'sctp', 'dccp', 'udplite'])
/** iptables knows these by heart, whatever /etc/protocols says. */
const wellKnown: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'ipv6-icmp'],
  [132, 'sctp'],
  [135, 'mobility-header'],
  [136, 'udplite'],
])

/** One rule as iptables takes it, ending in RETURN: allowed. `names` finds the set of a remote group. */
export function ruleText(rule: SecurityGroupRule, names: CloudNames, protocols: ProtocolNames): string {
  const words: string[] = []
  const family: Family = rule.ethertype === 'IPv4' ? 'ipv4' : 'ipv6'
  if (rule.remoteIpPrefix !== null) {
    const prefix = canonicalPrefix(rule.remoteIpPrefix)
    if (!prefix.endsWith('/0')) words.push(rule.direction === 'ingress' ? '-s' : '-d', prefix)
  }
  words.push(...protocolWords(rule, family, protocols))
  if (rule.remoteGroupId !== null) {
    const set = setName(names, rule.remoteGroupId, family)
    words.push('-m set --match-set', set, rule.direction === 'ingress' ? 'src' : 'dst')
  }
  words.push('-j RETURN')
  return words.join(' ')
}

function protocolWords(rule: SecurityGroupRule, family: Family, protocols: ProtocolNames): string[] {
  if (rule.protocol === null || rule.protocol === 'any' || rule.protocol === '0') return []
  const protocol = protocolName(rule.protocol, family, protocols)
  const { portRangeMin: min, portRangeMax: max } = rule
  if (protocol === 'icmp' || protocol === 'ipv6-icmp') {
    const [match, option] = protocol === 'icmp' ? ['icmp', '--icmp-type'] : ['icmp6', '--icmpv6-type']
    if (min === null) return ['-p', protocol]
    // For ICMP the range is type and code.
    return ['-p', protocol, '-m', match, option, max === null ? String(min) : `${min}/${max}`]
  }
  if (min === null || max === null || !withPorts.has(protocol)) return ['-p', protocol]
  if (min === max) return ['-p', protocol, '-m', protocol, '--dport', String(min)]
  return ['-p', protocol, '-m multiport --dports', `${min}:${max}`]
}

function protocolName(protocol: string, family: Family, protocols: ProtocolNames): string {
  if (['icmpv6', 'ipv6-icmp'].includes(protocol) || (protocol === 'icmp' && family === 'ipv6'))
    return 'ipv6-icmp'
  const number = /^\d+$/.test(protocol)
    ? Number(protocol)
    : [...wellKnown, ...protocols].find(([, name]) => name === protocol)?.[0]
  if (number === undefined) return protocol
  return wellKnown.get(number) ?? protocols.get(number) ?? String(number)
}

/** `10.1.2.3/8` → `10.0.0.0/8`, `10.1.2.3` → `10.1.2.3/32`; IPv6 in its short form. */
export function canonicalPrefix(cidr: string): string {
  const [address = '', length] = cidr.split('/')
  const parsed = ipaddr.parse(address)
  const bits = length === undefined ? (parsed.kind() === 'ipv4' ? 32 : 128) : Number(length)
  const network =
    parsed.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${bits}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`)
  return `${network.toString()}/${bits}`
}

/** The link-local address that a device makes of its MAC address. */
export function linkLocalAddress(macAddress: string): string {
  const bytes = macAddress.split(':').map((byte) => Number.parseInt(byte, 16))
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes
  const parts = [0xfe80, 0, 0, 0, ((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f]
  return new ipaddr.IPv6(parts).toString()
}
