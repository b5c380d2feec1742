/** Bridges and their uplinks: what must change so that every wanted network has one, and no other is left. */
import type { Link, LinkChange, Route } from '../../../linux/links.ts'
import type { WantedNetwork } from '../../rpc/agents.ts'
import { bridgeName, type CloudNames, vlanName, vxlanName } from '../names.ts'
import { moveAddresses, type NicMove } from './move-nic.ts'
import type { BridgeOptions } from './options.ts'

export interface DevicesInput {
  networks: readonly WantedNetwork[]
  links: ReadonlyMap<string, Link>
  routes: readonly Route[]
  names: CloudNames
  options: BridgeOptions
  /** Remove bridges even while guests' devices are on them. */
  force?: boolean
  /** NIC → why it stays out of its bridge. */
  keptApart?: ReadonlyMap<string, string>
}

export interface DevicesPlan {
  changes: LinkChange[]
  /** NICs that become ports of their bridges, once those are there. */
  moves: (NicMove & { networkId: string })[]
  /** Bridges that are new: IPv6 is turned off on them, for a bridge is no host. */
  newBridges: string[]
  /** Network id → why its guests cannot be wired here. */
  problems: Map<string, string>
  /** Vxlan devices by network: their forwarding entries are kept too. */
  vxlans: Map<string, string>
}

/** The bridge that guests' devices of a network must be ports of. */
export function bridgeOf(network: WantedNetwork, options: BridgeOptions): string {
  const mapped =
    network.networkType === 'flat' && network.physicalNetwork !== null
      ? options.bridgeMappings[network.physicalNetwork]
      : undefined
  return mapped ?? bridgeName(network.id)
}

export function planDevices(input: DevicesInput): DevicesPlan {
  const plan: DevicesPlan = {
    changes: [],
    moves: [],
    newBridges: [],
    problems: new Map(),
    vxlans: new Map(),
  }
  const kept = new Set<string>()
  for (const network of input.networks) {
    // Even where a mapped bridge carries the network: hypervisors plug guests into the bridge of this name.
    kept.add(bridgeName(network.id))
    planBridge(input, network, plan)
    const uplink = planUplink(input, network, plan)
    if (uplink !== undefined) kept.add(uplink)
  }
  planRemovals(input, kept, plan)
  return plan
}

function planBridge({ links, names }: DevicesInput, network: WantedNetwork, plan: DevicesPlan): void {
  const name = bridgeName(network.id)
  const link = links.get(name)
  if (link === undefined) {
    plan.newBridges.push(name)
    plan.changes.push({ do: 'add-bridge', name })
  } else if (link.alias !== '' && link.alias !== names.alias) {
    plan.problems.set(network.id, `The bridge ${name} belongs to another cloud (${link.alias}).`)
    return
  }
  settle(link, { name, alias: names.alias, mtu: network.mtu }, plan)
}

/** Sets what differs, and nothing else: a device in use is not touched without need. */
function settle(
  link: Link | undefined,
  wanted: { name: string; alias?: string; mtu: number; master?: string },
  plan: DevicesPlan,
): void {
  const change: Extract<LinkChange, { do: 'set' }> = { do: 'set', name: wanted.name }
  if (wanted.master !== undefined && link?.master !== wanted.master) change.master = wanted.master
  if (wanted.alias !== undefined && link?.alias !== wanted.alias) change.alias = wanted.alias
  if (wanted.mtu > 0 && link?.mtu !== wanted.mtu) change.mtu = wanted.mtu
  if (link?.up !== true) change.up = true
  if (Object.keys(change).length > 2) plan.changes.push(change)
}

/** The device that leads from a network's bridge to the other hosts; its name when this agent made or uses one. */
function planUplink(input: DevicesInput, network: WantedNetwork, plan: DevicesPlan): string | undefined {
  switch (network.networkType) {
    case 'local':
      return undefined
    case 'flat':
      return planFlat(input, network, plan)
    case 'vlan':
      return planVlan(input, network, plan)
    case 'vxlan':
      return planVxlan(input, network, plan)
  }
}

function planFlat(input: DevicesInput, network: WantedNetwork, plan: DevicesPlan): string | undefined {
  const physical = network.physicalNetwork ?? ''
  const mapped = input.options.bridgeMappings[physical]
  if (mapped !== undefined) {
    if (input.links.get(mapped)?.kind !== 'bridge')
      plan.problems.set(network.id, missing('bridge_mappings', physical, mapped, input.links))
    return undefined
  }
  const nic = findNic(input, network, plan)
  if (nic === undefined) return undefined
  const bridge = bridgeName(network.id)
  const apart = nic.addresses.length === 0 ? undefined : input.keptApart?.get(nic.name)
  if (nic.master === bridge) {
    if (!nic.up) plan.changes.push({ do: 'set', name: nic.name, up: true })
  } else if (apart !== undefined) plan.problems.set(network.id, apart)
  else plan.moves.push({ networkId: network.id, nic: { ...nic }, bridge, routes: input.routes })
  return undefined
}

function planVlan(input: DevicesInput, network: WantedNetwork, plan: DevicesPlan): string | undefined {
  const nic = findNic(input, network, plan)
  if (nic === undefined || network.segmentationId === null) return undefined
  const name = vlanName(nic.name, network.segmentationId)
  const link = input.links.get(name)
  if (link === undefined)
    plan.changes.push({ do: 'add-vlan', name, parent: nic.name, vlanId: network.segmentationId })
  if (!nic.up) plan.changes.push({ do: 'set', name: nic.name, up: true })
  settle(link, { name, alias: input.names.alias, mtu: 0, master: bridgeName(network.id) }, plan)
  return name
}

function planVxlan(input: DevicesInput, network: WantedNetwork, plan: DevicesPlan): string | undefined {
  const { vxlan } = input.options
  if (network.segmentationId === null) return undefined
  if (!vxlan.enabled || vxlan.localIp === '') {
    plan.problems.set(
      network.id,
      'The network is a vxlan network, but this host has no tunnel address: set [vxlan] enable_vxlan and local_ip.',
    )
    return undefined
  }
  const name = vxlanName(network.segmentationId)
  const link = input.links.get(name)
  if (link !== undefined && link.alias !== input.names.alias) {
    plan.problems.set(network.id, `The device ${name} is there already and belongs to somebody else.`)
    return undefined
  }
  if (link === undefined) {
    const device = deviceWith(input.links, vxlan.localIp)
    const group =
      vxlan.l2Population || device === undefined ? {} : { group: { address: vxlan.group, device } }
    plan.changes.push({
      do: 'add-vxlan',
      name,
      vni: network.segmentationId,
      localIp: vxlan.localIp,
      port: vxlan.udpPort,
      ...group,
    })
  }
  settle(link, { name, alias: input.names.alias, mtu: network.mtu, master: bridgeName(network.id) }, plan)
  plan.vxlans.set(network.id, name)
  return name
}

const deviceWith = (links: ReadonlyMap<string, Link>, address: string): string | undefined =>
  [...links.values()].find((link) => link.addresses.some((cidr) => cidr.split('/')[0] === address))?.name

function findNic(input: DevicesInput, network: WantedNetwork, plan: DevicesPlan): Link | undefined {
  const physical = network.physicalNetwork ?? ''
  const name = input.options.physicalInterfaceMappings[physical]
  const nic = name === undefined ? undefined : input.links.get(name)
  if (nic === undefined)
    plan.problems.set(network.id, missing('physical_interface_mappings', physical, name, input.links))
  return nic
}

/** Says which device is missing, and which ones there are to choose from. */
function missing(
  option: string,
  physical: string,
  name: string | undefined,
  links: ReadonlyMap<string, Link>,
): string {
  const kind = option === 'bridge_mappings' ? 'bridge' : ''
  const there = [...links.values()].filter((link) => link.kind === kind && link.name !== 'lo')
  const choice = there.length === 0 ? 'none' : there.map((link) => link.name).join(', ')
  const what =
    name === undefined
      ? `${option} of this host does not name the physical network ${physical}`
      : `${option} names ${name} for the physical network ${physical}, but this host has no such device`
  return `${what}; it has: ${choice}.`
}

/** This cloud's devices that no network wants any more. */
function planRemovals(input: DevicesInput, kept: ReadonlySet<string>, plan: DevicesPlan): void {
  const own = [...input.links.values()].filter(
    (link) => link.alias === input.names.alias && !kept.has(link.name),
  )
  const physical = new Set(Object.values(input.options.physicalInterfaceMappings))
  for (const link of own) {
    if (link.kind === 'vxlan' || link.kind === 'vlan') plan.changes.push({ do: 'remove', name: link.name })
  }
  for (const bridge of own) {
    if (bridge.kind !== 'bridge' || !bridge.name.startsWith('brq')) continue
    const ports = [...input.links.values()].filter((link) => link.master === bridge.name)
    // A guest or DHCP server that is just going away: its end wakes the agent again.
    if (input.force !== true && ports.some((port) => port.name.startsWith('tap'))) continue
    for (const nic of ports.filter((port) => physical.has(port.name))) {
      plan.changes.push({ do: 'set', name: nic.name, master: null })
      plan.changes.push(...moveAddresses(bridge, nic.name, input.routes))
    }
    plan.changes.push({ do: 'remove', name: bridge.name })
  }
}
