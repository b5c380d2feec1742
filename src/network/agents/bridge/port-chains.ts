/** The chains of one port: what may come in, what may go out, and from whom it may claim to be. */
import type { WantedGroup, WantedPort } from '../../rpc/agents.ts'
import type { SecurityGroupRule } from '../../rpc/rules.ts'
import { type CloudNames, tapName } from '../names.ts'
import { canonicalPrefix, type Family, linkLocalAddress, type ProtocolNames, ruleText } from './rule-text.ts'

/** Chain name → rules, for each family. */
export type PortChains = Record<Family, Map<string, string[]>>

/** Group → port → its addresses, as CIDRs. */
export type Members = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

/** Device owners whose ports are part of the network itself, such as its DHCP server. */
export const isTrusted = (port: WantedPort): boolean => port.deviceOwner.startsWith('network:')
export const isFiltered = (port: WantedPort): boolean => port.portSecurityEnabled && !isTrusted(port)

/** Whether the port's traffic is tracked: its first group decides, as in neutron. */
export function isStateful(port: WantedPort, groups: ReadonlyMap<string, WantedGroup>): boolean {
  const first = port.securityGroupIds[0]
  return first === undefined || (groups.get(first)?.stateful ?? true)
}

export const chainOf = (names: CloudNames, kind: 'i' | 'o' | 's', port: WantedPort): string =>
  `${names.chains}${kind}${port.id.slice(0, 10)}`

/** ICMPv6 that a guest always hears: multicast listener queries, router and neighbour advertisements, solicitations. */
const icmp6Inbound = [130, 134, 135, 136]
/** What a guest without an address may say, to find out that nobody else has it: reports and solicitations. */
const icmp6Unspecified = [131, 135, 143]

export interface PortChainsInput {
  groups: ReadonlyMap<string, WantedGroup>
  names: CloudNames
  protocols: ProtocolNames
  /** Whose addresses rules that name a remote group are spelled out with; undefined: they stand in sets. */
  members?: Members | undefined
}

export function portChains(
  port: WantedPort,
  { groups, names, protocols, members }: PortChainsInput,
): PortChains {
  const chains: PortChains = { ipv4: new Map(), ipv6: new Map() }
  const named = port.securityGroupIds.flatMap((id) => groups.get(id)?.rules ?? [])
  const rules = members === undefined ? named : named.flatMap((rule) => spelledOut(rule, members))
  const stateful = isStateful(port, groups)
  for (const family of ['ipv4', 'ipv6'] as const) {
    const allowed = (direction: SecurityGroupRule['direction']) =>
      groupRules(rules, direction, family, { names, protocols, stateful })
    chains[family].set(chainOf(names, 's', port), spoofRules(port, family))
    chains[family].set(chainOf(names, 'o', port), [
      ...egressRules(family, chainOf(names, 's', port)),
      ...allowed('egress'),
    ])
    chains[family].set(chainOf(names, 'i', port), [...ingressRules(port, family), ...allowed('ingress')])
  }
  return chains
}

/** A rule about a remote group as one rule for each address of its members. */
function spelledOut(rule: SecurityGroupRule, members: Members): SecurityGroupRule[] {
  const { remoteGroupId, ethertype } = rule
  if (remoteGroupId === null) return [rule]
  const addresses = [...(members.get(remoteGroupId)?.values() ?? [])].flat()
  return addresses
    .filter((address) => address.includes(':') === (ethertype === 'IPv6'))
    .map((remoteIpPrefix) => ({ ...rule, remoteGroupId: null, remoteIpPrefix }))
}

function groupRules(
  rules: readonly SecurityGroupRule[],
  direction: SecurityGroupRule['direction'],
  family: Family,
  how: { names: CloudNames; protocols: ProtocolNames; stateful: boolean },
): string[] {
  const ethertype = family === 'ipv4' ? 'IPv4' : 'IPv6'
  const texts = rules
    .filter((rule) => rule.direction === direction && rule.ethertype === ethertype)
    .map((rule) => ruleText(rule, how.names, how.protocols))
  return [
    ...(how.stateful ? ['-m state --state RELATED,ESTABLISHED -j RETURN'] : []),
    // Sorted, so that the order in which a database gives rules does not count as a change.
    ...[...new Set(texts)].sort(),
    ...(how.stateful ? ['-m state --state INVALID -j DROP'] : []),
    `-j ${how.names.chains}sg-fallback`,
  ]
}

function egressRules(family: Family, spoofChain: string): string[] {
  if (family === 'ipv4') {
    return [
      // A guest without an address asks for one.
      '-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN',
      `-j ${spoofChain}`,
      '-p udp -m udp --sport 68 --dport 67 -j RETURN',
      // A guest is no DHCP server.
      '-p udp -m udp --sport 67 --dport 68 -j DROP',
    ]
  }
  return [
    ...icmp6Unspecified.map(
      (type) => `-s ::/128 -d ff02::/16 -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j RETURN`,
    ),
    `-j ${spoofChain}`,
    // A guest is no router.
    '-p ipv6-icmp -m icmp6 --icmpv6-type 134 -j DROP',
    '-p ipv6-icmp -j RETURN',
    '-p udp -m udp --sport 546 --dport 547 -j RETURN',
    '-p udp -m udp --sport 547 --dport 546 -j DROP',
  ]
}

function ingressRules(port: WantedPort, family: Family): string[] {
  if (family === 'ipv6') {
    return [
      ...icmp6Inbound.map((type) => `-p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j RETURN`),
      '-s fe80::/64 -p udp -m udp --sport 547 --dport 546 -j RETURN',
    ]
  }
  const own = port.fixedIps.filter((ip) => !ip.ipAddress.includes(':')).map((ip) => ip.ipAddress)
  return [...own.sort(), '255.255.255.255'].map(
    (address) => `-d ${address}/32 -p udp -m udp --sport 67 --dport 68 -j RETURN`,
  )
}

/** Address and MAC address together: who may send from where. */
function spoofRules(port: WantedPort, family: Family): string[] {
  const own = port.macAddress.toLowerCase()
  const pairs: { mac: string; address?: string }[] = [
    ...port.fixedIps.map((ip) => ({ mac: own, address: ip.ipAddress })),
    ...port.allowedAddressPairs.map((pair) => ({
      mac: (pair.macAddress || own).toLowerCase(),
      address: pair.ipAddress,
    })),
  ].filter((pair) => pair.address.includes(':') === (family === 'ipv6'))
  if (family === 'ipv6') {
    for (const mac of new Set([own, ...pairs.map((pair) => pair.mac)]))
      pairs.push({ mac, address: linkLocalAddress(mac) })
  }
  // A port without addresses may use any: it was made so on purpose, for guests that route.
  if (port.fixedIps.length === 0) pairs.push({ mac: own })
  const texts = pairs.map(({ mac, address }) => {
    const prefix = address === undefined ? undefined : canonicalPrefix(address)
    const source = prefix === undefined || prefix.endsWith('/0') ? '' : `-s ${prefix} `
    return `${source}-m mac --mac-source ${mac} -j RETURN`
  })
  return [...[...new Set(texts)].sort(), '-j DROP']
}

/** What iptables does not see: frames that are not IP, with a forged sender, and ARP that claims another's address. */
export function frameChains(port: WantedPort, names: CloudNames): Map<string, string[]> {
  const chains = new Map<string, string[]>()
  const tap = tapName(port.id)
  const macs = [port.macAddress, ...port.allowedAddressPairs.map((pair) => pair.macAddress)]
  const own = [...new Set(macs.filter((mac) => mac !== '').map((mac) => mac.toLowerCase()))].sort()
  chains.set(names.macChains + tap, [...own.map((mac) => `-s ${mac} -j RETURN`), '-j DROP'])
  const addresses = [
    ...port.fixedIps.map((ip) => ip.ipAddress),
    ...port.allowedAddressPairs.map((pair) => pair.ipAddress),
  ]
    .filter((address) => !address.includes(':'))
    .map((address) => canonicalPrefix(address).replace(/\/32$/, ''))
  const anybody = port.fixedIps.length === 0 || addresses.some((address) => address.endsWith('/0'))
  if (anybody) return chains
  chains.set(names.arpChains + tap, [
    ...[...new Set(addresses)].sort().map((address) => `-p ARP --arp-ip-src ${address} -j ACCEPT`),
    '-j DROP',
  ])
  return chains
}
