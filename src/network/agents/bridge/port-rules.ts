/** All packet filter rules that one port brings along: chains of its own, and rules in the chains that all ports share. */
import type { RuleFamily } from '../../../linux/iptables.ts'
import type { WantedPort } from '../../rpc/agents.ts'
import { type CloudNames, tapName } from '../names.ts'
import {
  chainOf,
  frameChains,
  isFiltered,
  isStateful,
  type PortChainsInput,
  portChains,
} from './port-chains.ts'

/** A rule of a shared chain; those of the first section stand before all of the second. */
export interface SharedRule {
  chain: string
  section: 0 | 1
  rule: string
}

/** What one port has in one table. */
export interface TablePart {
  family: RuleFamily
  table: string
  chains: Map<string, readonly string[]>
  shared: SharedRule[]
}

export interface PortRulesInput extends PortChainsInput {
  /** False: only frames with a forged sender are refused. */
  packets: boolean
  /** The connection tracking zone of the port's bridge: two networks may use the same addresses. */
  bridge: string
  zone: number
}

export function portRules(port: WantedPort, input: PortRulesInput): TablePart[] {
  const { names, packets } = input
  const frames = isFiltered(port) ? [framePart(port, names)] : []
  if (!packets) return frames
  if (frames.length === 0 || port.packetFilter === false) return [...unfiltered(port, names), ...frames]
  return [...filtered(port, input), ...frames]
}

/** What goes to or comes from a port without a filter is let through, once the other end's filter had its say. */
function unfiltered(port: WantedPort, names: CloudNames): TablePart[] {
  const shared = ['out', 'in'].map(
    (direction): SharedRule => ({
      chain: `${names.chains}FORWARD`,
      section: 1,
      rule: `-m physdev --physdev-${direction} ${tapName(port.id)} --physdev-is-bridged -j ACCEPT`,
    }),
  )
  return (['ipv4', 'ipv6'] as const).map((family) => ({ family, table: 'filter', chains: new Map(), shared }))
}

function filtered(port: WantedPort, input: PortRulesInput): TablePart[] {
  const { groups, names, bridge, zone } = input
  const chains = portChains(port, input)
  const tap = tapName(port.id)
  const shared = sharedRules(port, names)
  const tracking: SharedRule[] = [
    { chain: `${names.chains}PREROUTING`, section: 1, rule: `-i ${bridge} -j CT --zone ${zone}` },
  ]
  // Before the zones, since the first CT rule that matches decides.
  if (!isStateful(port, groups)) {
    const rule = `-m physdev --physdev-in ${tap} -j CT --notrack`
    tracking.push({ chain: `${names.chains}PREROUTING`, section: 0, rule })
  }
  return (['ipv4', 'ipv6'] as const).flatMap((family): TablePart[] => [
    { family, table: 'filter', chains: chains[family], shared },
    { family, table: 'raw', chains: new Map(), shared: tracking },
  ])
}

function framePart(port: WantedPort, names: CloudNames): TablePart {
  const chains = frameChains(port, names)
  return { family: 'bridge', table: 'nat', chains, shared: frameRules(tapName(port.id), names, chains) }
}

function sharedRules(port: WantedPort, names: CloudNames): SharedRule[] {
  const tap = tapName(port.id)
  const [out, into] = [`-m physdev --physdev-in ${tap}`, `-m physdev --physdev-out ${tap}`]
  const rule = (chain: string, text: string): SharedRule => ({
    chain: names.chains + chain,
    section: 0,
    rule: text,
  })
  return [
    // One packet may leave one port and enter another: both are asked in sg-chain before it is let through.
    ...[into, out].map((match) =>
      rule('FORWARD', `${match} --physdev-is-bridged -j ${names.chains}sg-chain`),
    ),
    rule('sg-chain', `${into} --physdev-is-bridged -j ${chainOf(names, 'i', port)}`),
    rule('sg-chain', `${out} --physdev-is-bridged -j ${chainOf(names, 'o', port)}`),
    rule('INPUT', `${out} -j ${chainOf(names, 'o', port)}`),
  ]
}

/** The sender's MAC address is looked at before what its ARP claims: the chain for that accepts. */
function frameRules(tap: string, names: CloudNames, own: ReadonlyMap<string, unknown>): SharedRule[] {
  const chain = `${names.chains}PREROUTING`
  const mac: SharedRule = { chain, section: 0, rule: `-i ${tap} -j ${names.macChains}${tap}` }
  if (!own.has(names.arpChains + tap)) return [mac]
  return [mac, { chain, section: 1, rule: `-p ARP -i ${tap} -j ${names.arpChains}${tap}` }]
}
