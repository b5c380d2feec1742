/** What the L2 agent of one host must wire and filter: all of it, or what changed since it last asked. */
import type { KnownL2, RemotePort, Since, WantedL2 } from './agents.ts'
import type { Changes } from './changes.ts'
import { changesSince } from './changes-since.ts'
import { memberOf, membershipsOf, membersOf, wantedGroups } from './wanted-filter.ts'
import { type ForwardingDeps, placesOf, remotePortsOf, remotePortsOn } from './wanted-forwarding.ts'
import {
  type BoundPort,
  boundPortsById,
  boundPortsOf,
  segmentsOf,
  viewNetworks,
  viewPorts,
} from './wanted-ports.ts'

type Content = Omit<WantedL2, 'revision' | 'whole'>

export async function wantedL2(
  deps: ForwardingDeps,
  { host, revision: since, known, own = false }: Since & { known: KnownL2; own?: boolean },
): Promise<WantedL2> {
  const { revision, changes } = await changesSince(deps.db, since)
  const content =
    changes === undefined ? await everything(deps, host) : await part(deps, host, changes, known, own)
  return { revision, whole: changes === undefined, ...content }
}

async function everything(deps: ForwardingDeps, host: string): Promise<Content> {
  const { db } = deps
  const rows = await boundPortsOf(db, host)
  const ports = await viewPorts(deps, rows)
  const networks = await viewNetworks(
    db,
    rows.flatMap((row) => row.segment_id ?? []),
  )
  const groupIds = [...new Set(ports.flatMap((port) => port.securityGroupIds))]
  const { securityGroups, remoteGroupIds } = await wantedGroups(db, groupIds)
  const members = await membersOf(db, remoteGroupIds)
  const tunnelled = networks.filter((network) => network.networkType === 'vxlan').map((network) => network.id)
  const remotePorts = await remotePortsOf(deps, host, tunnelled)
  return { networks, ports, gonePorts: [], securityGroups, members, remotePorts }
}

async function part(
  deps: ForwardingDeps,
  host: string,
  changes: Changes,
  known: KnownL2,
  ownOnly: boolean,
): Promise<Content> {
  const { db } = deps
  const own = [...changes.ports.values()].filter((port) => port.hosts.includes(host))
  const rows = (
    await boundPortsById(
      db,
      own.map((port) => port.id),
    )
  ).filter((row) => row.host === host)
  const ports = await viewPorts(deps, rows)
  const here = new Set(rows.map((row) => row.id))
  const gonePorts = own.filter((port) => !here.has(port.id)).map((port) => port.id)

  const remoteGroups = new Set(known.remoteGroups)
  const news = (ids: Iterable<string>, told: readonly string[]) => [...new Set(ids).difference(new Set(told))]
  const newNetworks = news(
    rows.map((row) => row.network_id),
    known.networks,
  )
  const segments = rows.filter((row) => newNetworks.includes(row.network_id)).map((row) => row.segment_id!)
  const changedNetworks = known.networks.filter((id) => changes.networks.has(id))
  const networks = await viewNetworks(db, [...segments, ...(await segmentsOf(db, host, changedNetworks))])

  const newGroups = news(
    ports.flatMap((port) => port.securityGroupIds),
    known.securityGroups,
  )
  const changedGroups = known.securityGroups.filter((id) => changes.groups.has(id))
  const { securityGroups, remoteGroupIds } = await wantedGroups(db, [...newGroups, ...changedGroups])
  const newRemotes = news(remoteGroupIds, known.remoteGroups)
  const memberships = [...changes.ports.values()].flatMap((port) =>
    port.groups
      .filter((groupId) => remoteGroups.has(groupId))
      .map((groupId) => ({ groupId, portId: port.id })),
  )
  // The host's own ports were read already.
  const byId = new Map(ports.map((port) => [port.id, port]))
  const ownMembers = memberships.flatMap(({ groupId, portId }) => {
    const port = byId.get(portId)
    return port === undefined ? [] : memberOf(port, groupId)
  })
  const others = ownOnly ? [] : memberships.filter((pair) => !here.has(pair.portId))
  const members = [...(await membersOf(db, newRemotes)), ...ownMembers, ...(await membershipsOf(db, others))]

  const newTunnelled = networks
    .filter((network) => network.networkType === 'vxlan' && newNetworks.includes(network.id))
    .map((network) => network.id)
  const remotePorts = arrivedPorts(rows, known.tunnelled)
  if (!ownOnly)
    remotePorts.push(...(await changedRemotes(deps, host, changes, { here, tunnelled: known.tunnelled })))
  remotePorts.push(...(await remotePortsOf(deps, host, newTunnelled)))
  return { networks, ports, gonePorts, securityGroups, members, remotePorts }
}

/** Whom no tunnel leads to any more, since they are here. */
const arrivedPorts = (rows: readonly BoundPort[], tunnelled: readonly string[]): RemotePort[] =>
  rows
    .filter((row) => tunnelled.includes(row.network_id))
    .map((row) => ({ portId: row.id, networkId: row.network_id, macAddress: '', tunnelIp: null }))

async function changedRemotes(
  deps: ForwardingDeps,
  host: string,
  changes: Changes,
  { here, tunnelled }: { here: ReadonlySet<string>; tunnelled: readonly string[] },
): Promise<RemotePort[]> {
  if (tunnelled.length === 0) return []
  const networks = new Set(tunnelled)
  const moved = [...changes.ports.values()].filter(
    (port) => port.moved && networks.has(port.networkId) && !here.has(port.id),
  )
  const places = await placesOf(deps, host, moved)
  return [...places, ...(await remotePortsOn(deps, host, [...changes.tunnelHosts], tunnelled))]
}
