/** What the L2 agent of one host must wire and filter, read whole. */
import { type Kysely, sql } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import type { NetworkOptions } from '../config.ts'
import { parseCidr } from '../ipam/ip.ts'
import { isAlive } from '../store/agents.ts'
import { allocationsOf } from '../store/allocations.ts'
import { byIds } from '../store/by-ids.ts'
import { readAddressPairs } from '../store/port-parts.ts'
import { groupsOfPorts } from '../store/security-groups.ts'
import { groupBy, inSlices } from '../store/slices.ts'
import type { AllocationRow, PortRow, Tables } from '../store/tables.ts'
import type { FixedIp, WantedL2, WantedNetwork, WantedPort } from './agents.ts'
import { wantedFilter } from './wanted-filter.ts'

interface BoundPort extends PortRow {
  /** Never null: the port is bound. */
  segment_id: string | null
}

const readBoundPorts = statement((db: Kysely<Tables>, p: { host: string }) =>
  db
    .selectFrom('ports')
    .innerJoin('ml2_port_bindings', 'ml2_port_bindings.port_id', 'ports.id')
    .selectAll('ports')
    .select('ml2_port_bindings.segment_id')
    .where('ml2_port_bindings.host', '=', p.host)
    .where('ml2_port_bindings.segment_id', 'is not', null),
)

export async function wantedL2(
  deps: { db: Kysely<Tables>; options: NetworkOptions; now: () => string },
  host: string,
): Promise<WantedL2> {
  const { db } = deps
  const { rows } = await readBoundPorts(db, { host })
  const ports = await wantedPorts(db, rows)
  const networks = await wantedNetworks(db, rows)
  const filter = await wantedFilter(db, ports)
  const tunnelled = networks.filter((network) => network.networkType === 'vxlan').map((network) => network.id)
  const { tunnels, forwarding } = await wantedTunnels(deps, host, tunnelled)
  return { networks, ports, ...filter, tunnels, forwarding }
}

async function wantedPorts(db: Kysely<Tables>, rows: readonly BoundPort[]): Promise<WantedPort[]> {
  const ids = rows.map((row) => row.id)
  const ips = await allocationsOf(db, ids)
  const prefixLengths = await prefixLengthsOf(db, [...ips.values()].flat())
  const groups = await groupsOfPorts(db, ids)
  const pairs = groupBy(await readAddressPairs(db, ids), (pair) => pair.port_id)
  return rows.map((row) => ({
    id: row.id,
    networkId: row.network_id,
    macAddress: row.mac_address,
    deviceOwner: row.device_owner,
    deviceId: row.device_id,
    adminStateUp: row.admin_state_up === 1,
    portSecurityEnabled: row.port_security_enabled === 1,
    fixedIps: fixedIps(ips.get(row.id) ?? [], prefixLengths),
    allowedAddressPairs: (pairs.get(row.id) ?? []).map((pair) => ({
      ipAddress: pair.ip_address,
      macAddress: pair.mac_address,
    })),
    securityGroupIds: groups.get(row.id) ?? [],
    status: row.status,
  }))
}

const readCidrs = byIds((db, ids) => db.selectFrom('subnets').select(['id', 'cidr']).where('id', 'in', ids))

/** Prefix lengths of the subnets that these addresses are of. */
export async function prefixLengthsOf(
  db: Kysely<Tables>,
  ips: readonly AllocationRow[],
): Promise<Map<string, number>> {
  const ids = [...new Set(ips.map((ip) => ip.subnet_id))]
  const rows = await readCidrs(db, ids)
  return new Map(rows.map((row) => [row.id, parseCidr(row.cidr)!.prefixLength]))
}

export const fixedIps = (
  ips: readonly AllocationRow[],
  prefixLengths: ReadonlyMap<string, number>,
): FixedIp[] =>
  ips.map((ip) => ({
    subnetId: ip.subnet_id,
    ipAddress: ip.ip_address,
    prefixLength: prefixLengths.get(ip.subnet_id)!,
  }))

const readSegments = byIds((db, ids) =>
  db
    .selectFrom('networksegments')
    .innerJoin('networks', 'networks.id', 'networksegments.network_id')
    .select([
      'networks.id',
      'networks.mtu',
      'networks.admin_state_up',
      'networksegments.network_type',
      'networksegments.physical_network',
      'networksegments.segmentation_id',
    ])
    .where('networksegments.id', 'in', ids),
)

// The segment is the one that the port's driver chose, not simply the network's first.
async function wantedNetworks(db: Kysely<Tables>, rows: readonly BoundPort[]): Promise<WantedNetwork[]> {
  const segmentIds = [...new Set(rows.flatMap((row) => row.segment_id ?? []))]
  const found = await readSegments(db, segmentIds)
  return found.map((row) => ({
    id: row.id,
    networkType: row.network_type as WantedNetwork['networkType'],
    physicalNetwork: row.physical_network,
    segmentationId: row.segmentation_id,
    mtu: row.mtu,
    adminStateUp: row.admin_state_up === 1,
  }))
}

interface TunnelEnd {
  host: string
  ip: string
}

async function wantedTunnels(
  deps: { db: Kysely<Tables>; options: NetworkOptions; now: () => string },
  host: string,
  networkIds: readonly string[],
): Promise<Pick<WantedL2, 'tunnels' | 'forwarding'>> {
  if (networkIds.length === 0) return { tunnels: [], forwarding: [] }
  const ends = await tunnelEnds(deps, host)
  const found = await inSlices(networkIds, async (slice) => {
    const remote = await sql<{ id: string; network_id: string; mac_address: string; host: string }>`
      select p.id, p.network_id, p.mac_address, b.host from ports p join ml2_port_bindings b on b.port_id = p.id
      where b.segment_id is not null and b.host <> ${host} and p.network_id in (${sql.join(slice)})`.execute(
      deps.db,
    )
    return remote.rows
  })
  const ips = await allocationsOf(
    deps.db,
    found.map((port) => port.id),
  )
  const used = new Map<string, TunnelEnd>()
  const forwarding = found.flatMap((port) => {
    const end = ends.get(port.host)
    if (end === undefined) return []
    used.set(end.host, end)
    return [
      {
        networkId: port.network_id,
        macAddress: port.mac_address,
        ipAddresses: (ips.get(port.id) ?? []).map((ip) => ip.ip_address),
        tunnelIp: end.ip,
      },
    ]
  })
  return { tunnels: [...used.values()], forwarding }
}

/** Where the other hosts' tunnels end. */
async function tunnelEnds(
  deps: { db: Kysely<Tables>; options: NetworkOptions; now: () => string },
  host: string,
): Promise<Map<string, TunnelEnd>> {
  const agents = await deps.db
    .selectFrom('agents')
    .select(['host', 'configurations', 'heartbeat_timestamp'])
    .where('host', '<>', host)
    .where('agent_type', '=', 'Linux bridge agent')
    .execute()
  const ends = new Map<string, TunnelEnd>()
  const now = deps.now()
  for (const agent of agents) {
    if (!isAlive(agent, now, deps.options)) continue
    const configurations = JSON.parse(agent.configurations) as {
      tunneling_ip?: string
      tunnel_types?: string[]
    }
    if (!configurations.tunneling_ip || !configurations.tunnel_types?.includes('vxlan')) continue
    ends.set(agent.host, { host: agent.host, ip: configurations.tunneling_ip })
  }
  return ends
}
