/** The ports of a host as its L2 agent must wire them, and the networks they are on. */
import { type Kysely, sql } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import type { NetworkOptions } from '../config.ts'
import { parseCidr } from '../ipam/ip.ts'
import { byIds } from '../store/by-ids.ts'
import { type PortAddress, partsOfPorts } from '../store/port-parts.ts'
import { inSlices } from '../store/slices.ts'
import type { PortRow, Tables } from '../store/tables.ts'
import type { FixedIp, WantedNetwork, WantedPort } from './agents.ts'

/** A port with the segment that its driver chose. */
export interface BoundPort extends PortRow {
  host: string
  /** Never null: the port is bound. */
  segment_id: string | null
}

const boundPorts = (db: Kysely<Tables>) =>
  db
    .selectFrom('ports')
    .innerJoin('ml2_port_bindings', 'ml2_port_bindings.port_id', 'ports.id')
    .selectAll('ports')
    .select(['ml2_port_bindings.host', 'ml2_port_bindings.segment_id'])
    .where('ml2_port_bindings.segment_id', 'is not', null)

const readOfHost = statement((db: Kysely<Tables>, p: { host: string }) =>
  boundPorts(db).where('ml2_port_bindings.host', '=', p.host),
)

/** All ports that are bound to a host. */
export async function boundPortsOf(db: Kysely<Tables>, host: string): Promise<BoundPort[]> {
  return (await readOfHost(db, { host })).rows
}

/** Those of these ports that are bound, wherever. */
export const boundPortsById = byIds((db, ids) =>
  boundPorts(db as Kysely<Tables>).where('ports.id', 'in', ids),
)

export async function viewPorts(
  { db, options }: { db: Kysely<Tables>; options: NetworkOptions },
  rows: readonly BoundPort[],
): Promise<WantedPort[]> {
  const ids = rows.map((row) => row.id)
  const partsOf = await partsOfPorts(db, ids, ['address', 'group', 'pair'])
  return rows.map((row) => {
    const { addresses, pairs, groups } = partsOf(row.id)
    return {
      id: row.id,
      networkId: row.network_id,
      macAddress: row.mac_address,
      deviceOwner: row.device_owner,
      deviceId: row.device_id,
      adminStateUp: row.admin_state_up === 1,
      portSecurityEnabled: row.port_security_enabled === 1,
      ...(options.enableSecurityGroup ? {} : { packetFilter: false }),
      fixedIps: fixedIps(addresses),
      allowedAddressPairs: pairs.map((pair) => ({
        ipAddress: pair.ip_address,
        macAddress: pair.mac_address,
      })),
      securityGroupIds: groups,
      status: row.status,
    }
  })
}

export const fixedIps = (addresses: readonly PortAddress[]): FixedIp[] =>
  addresses.map(({ subnetId, ipAddress, cidr }) => ({
    subnetId,
    ipAddress,
    prefixLength: parseCidr(cidr)!.prefixLength,
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

/** Networks by the segments that ports are bound on: those that the ports' driver chose, not simply each network's first. */
export async function viewNetworks(
  db: Kysely<Tables>,
  segmentIds: Iterable<string>,
): Promise<WantedNetwork[]> {
  const found = await readSegments(db, [...new Set(segmentIds)])
  return found.map((row) => ({
    id: row.id,
    networkType: row.network_type as WantedNetwork['networkType'],
    physicalNetwork: row.physical_network,
    segmentationId: row.segmentation_id,
    mtu: row.mtu,
    adminStateUp: row.admin_state_up === 1,
  }))
}

/** The segments of these networks that a host has ports on. */
export async function segmentsOf(
  db: Kysely<Tables>,
  host: string,
  networkIds: readonly string[],
): Promise<string[]> {
  const rows = await inSlices(networkIds, async (slice) => {
    const found = await sql<{ segment_id: string }>`
      select distinct b.segment_id from ml2_port_bindings b join ports p on p.id = b.port_id
      where b.host = ${host} and b.segment_id is not null and p.network_id in (${sql.join(slice)})`.execute(
      db,
    )
    return found.rows
  })
  return rows.map((row) => row.segment_id)
}
