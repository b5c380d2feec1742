/** All packet filter rules and address sets of a host, from what the server wants. */

import { type AddressSet, setEntries } from '../../../linux/ipset.ts'
import type { Ownership, RuleFamily, WantedTable } from '../../../linux/iptables.ts'
import type { WantedL2, WantedPort } from '../../rpc/agents.ts'
import { type CloudNames, setName, tapName } from '../names.ts'
import { chainOf, isFiltered, isStateful, type PortChains } from './port-chains.ts'
import type { Family } from './rule-text.ts'

export type WantedRules = Record<RuleFamily, Map<string, WantedTable>>

export interface RulesInput {
  wanted: WantedL2
  names: CloudNames
  chainsOf: (port: WantedPort) => PortChains
  /** The bridge that a network's devices are ports of. */
  bridgeOf: (networkId: string) => string
  /** The connection tracking zone of a bridge: two networks may use the same addresses. */
  zoneOf: (bridge: string) => number
}

/** What tells this cloud's chains from others'. */
export function ownership(names: CloudNames): Ownership {
  const prefixes = [names.chains, names.macChains, names.arpChains]
  return {
    chain: (name) => prefixes.some((prefix) => name.startsWith(prefix)),
    hook: (rule) => rule.includes(`-j ${names.chains}`),
  }
}

/** Every rule of this cloud on this host. Without any port on it a host has no rules at all. */
export function planRules(input: RulesInput): WantedRules {
  const { names, wanted } = input
  const filtered = wanted.ports.filter(isFiltered)
  const chains = new Map(filtered.map((port) => [port, input.chainsOf(port)]))
  const ip = (family: Family) =>
    new Map([
      ['raw', trackingTable(input, filtered)],
      ['filter', filterTable(input, family, chains)],
    ])
  return {
    ipv4: ip('ipv4'),
    ipv6: ip('ipv6'),
    bridge: new Map([['nat', frameTable(names, chains)]]),
  }
}

function trackingTable({ names, wanted, bridgeOf, zoneOf }: RulesInput, filtered: WantedPort[]): WantedTable {
  const chain = `${names.chains}PREROUTING`
  const stateless = filtered.filter((port) => !isStateful(port, wanted.securityGroups))
  const bridges = new Set(filtered.map((port) => bridgeOf(port.networkId)))
  const rules = [
    // First, since the first CT rule that matches decides.
    ...stateless.map((port) => `-m physdev --physdev-in ${tapName(port.id)} -j CT --notrack`).sort(),
    ...[...bridges].sort().map((bridge) => `-i ${bridge} -j CT --zone ${zoneOf(bridge)}`),
  ]
  return hooked(chain, 'PREROUTING', rules)
}

function hooked(chain: string, builtIn: string, rules: readonly string[]): WantedTable {
  if (rules.length === 0) return { chains: new Map(), hooks: new Map() }
  return { chains: new Map([[chain, rules]]), hooks: new Map([[builtIn, [`-j ${chain}`]]]) }
}

function filterTable(
  { names, wanted }: RulesInput,
  family: Family,
  filtered: Map<WantedPort, PortChains>,
): WantedTable {
  if (wanted.ports.length === 0) return { chains: new Map(), hooks: new Map() }
  const forward: string[] = []
  const input: string[] = []
  const groups: string[] = []
  const own = new Map<string, readonly string[]>()
  const ports = [...wanted.ports].sort((a, b) => (a.id < b.id ? -1 : 1))
  for (const port of ports) {
    const chains = filtered.get(port)
    if (chains === undefined) continue
    const tap = tapName(port.id)
    for (const [name, rules] of chains[family]) own.set(name, rules)
    const [out, into] = [`-m physdev --physdev-in ${tap}`, `-m physdev --physdev-out ${tap}`]
    // One packet may leave one port and enter another: both are asked in sg-chain before it is let through.
    for (const match of [into, out]) forward.push(`${match} --physdev-is-bridged -j ${names.chains}sg-chain`)
    groups.push(`${into} --physdev-is-bridged -j ${chainOf(names, 'i', port)}`)
    groups.push(`${out} --physdev-is-bridged -j ${chainOf(names, 'o', port)}`)
    input.push(`${out} -j ${chainOf(names, 'o', port)}`)
  }
  for (const port of ports) {
    if (filtered.has(port)) continue
    for (const direction of ['out', 'in'])
      forward.push(`-m physdev --physdev-${direction} ${tapName(port.id)} --physdev-is-bridged -j ACCEPT`)
  }
  own.set(`${names.chains}FORWARD`, forward)
  own.set(`${names.chains}INPUT`, input)
  own.set(`${names.chains}sg-chain`, [...groups, '-j ACCEPT'])
  own.set(`${names.chains}sg-fallback`, ['-j DROP'])
  const hooks = new Map(['FORWARD', 'INPUT'].map((chain) => [chain, [`-j ${names.chains}${chain}`]]))
  return { chains: own, hooks }
}

function frameTable(names: CloudNames, filtered: Map<WantedPort, PortChains>): WantedTable {
  const dispatch: string[] = []
  const own = new Map<string, readonly string[]>()
  for (const [port, chains] of filtered) {
    const tap = tapName(port.id)
    for (const [name, rules] of chains.bridge) own.set(name, rules)
    dispatch.push(`-i ${tap} -j ${names.macChains}${tap}`)
    if (chains.bridge.has(names.arpChains + tap))
      dispatch.push(`-p ARP -i ${tap} -j ${names.arpChains}${tap}`)
  }
  const chain = `${names.chains}PREROUTING`
  const table = hooked(chain, 'PREROUTING', dispatch.sort())
  return { chains: new Map([...own, ...table.chains]), hooks: table.hooks }
}

/** The sets that rules with a remote group refer to. */
export function planSets(wanted: WantedL2, names: CloudNames): Map<string, AddressSet> {
  const sets = new Map<string, AddressSet>()
  const used = new Set(wanted.ports.filter(isFiltered).flatMap((port) => port.securityGroupIds))
  for (const id of used) {
    for (const rule of wanted.securityGroups[id]?.rules ?? []) {
      if (rule.remoteGroupId === null) continue
      const family = rule.ethertype === 'IPv4' ? 'ipv4' : 'ipv6'
      const members = wanted.remoteGroups[rule.remoteGroupId]?.[family] ?? []
      sets.set(setName(names, rule.remoteGroupId, family), {
        family: family === 'ipv4' ? 'inet' : 'inet6',
        entries: setEntries(members),
      })
    }
  }
  return sets
}
