import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import { isAlive } from '../../store/agents.ts'
import { sharedObjects } from '../../store/rbac-policies.ts'
import { groupBy, inSlices } from '../../store/slices.ts'
import { viewStandard } from '../../store/standard.ts'
import type { NetworkRow, SegmentRow, Tables } from '../../store/tables.ts'
import { tagsOf } from '../../store/tags.ts'
import type { Values } from '../attributes.ts'
import type { ViewContext } from '../resource.ts'

/** Networks with their segments, subnets, zones and tags. */
export async function viewNetworks(
  db: Db<Tables>,
  rows: readonly NetworkRow[],
  context: ViewContext,
): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const segments = groupBy(
    await inSlices(ids, (slice) =>
      db
        .selectFrom('networksegments')
        .selectAll()
        .where('network_id', 'in', slice)
        .orderBy('segment_index')
        .execute(),
    ),
    (row) => row.network_id,
  )
  const subnets = groupBy(await readSubnets(db, ids), (row) => row.network_id)
  const zones = await readZones(db, ids, context)
  const shared = await sharedObjects(db, ids, context.caller.projectId)
  const tags = await tagsOf(db, ids)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    ...viewStandard(row),
    admin_state_up: row.admin_state_up === 1,
    mtu: row.mtu,
    status: row.status,
    subnets: (subnets.get(row.id) ?? []).map((subnet) => subnet.id),
    shared: shared.has(row.id),
    availability_zone_hints: JSON.parse(row.availability_zone_hints),
    availability_zones: [...(zones.get(row.id) ?? [])].sort(),
    ipv4_address_scope: scopeOf(subnets.get(row.id), 4),
    ipv6_address_scope: scopeOf(subnets.get(row.id), 6),
    'router:external': row.is_external === 1,
    // It says which external network new topologies use; other networks have no such thing.
    is_default: row.is_external === 1 ? row.is_default === 1 : undefined,
    port_security_enabled: row.port_security_enabled === 1,
    dns_domain: row.dns_domain,
    ...viewSegments(segments.get(row.id) ?? []),
    tags: tags.get(row.id) ?? [],
  }))
}

function viewSegments(segments: readonly SegmentRow[]): Values {
  const views = segments.map((segment) => ({
    'provider:network_type': segment.network_type,
    'provider:physical_network': segment.physical_network,
    'provider:segmentation_id': segment.segmentation_id,
  }))
  return views.length > 1 ? { segments: views } : (views[0] ?? {})
}

interface SubnetOfNetwork {
  id: string
  network_id: string
  ip_version: number
  address_scope_id: string | null
}

const readSubnets = (db: Db<Tables>, networkIds: readonly string[]): Promise<SubnetOfNetwork[]> =>
  inSlices(networkIds, (slice) =>
    db
      .selectFrom('subnets')
      .leftJoin('subnetpools', 'subnetpools.id', 'subnets.subnetpool_id')
      .select(['subnets.id', 'subnets.network_id', 'subnets.ip_version', 'subnetpools.address_scope_id'])
      .where('subnets.network_id', 'in', slice)
      .orderBy('subnets.created_at')
      .orderBy('subnets.id')
      .execute(),
  )

const scopeOf = (subnets: readonly SubnetOfNetwork[] | undefined, version: number): string | null =>
  subnets?.find((subnet) => subnet.ip_version === version && subnet.address_scope_id !== null)
    ?.address_scope_id ?? null

// A network is where an agent that is alive serves its DHCP.
async function readZones(
  db: Db<Tables>,
  networkIds: readonly string[],
  context: ViewContext,
): Promise<Map<string, Set<string>>> {
  const now = new Date().toISOString()
  const zones = new Map<string, Set<string>>()
  const rows = await inSlices(networkIds, async (slice) => {
    const found = await sql<{
      network_id: string
      availability_zone: string | null
      heartbeat_timestamp: string
    }>`
      select b.network_id, a.availability_zone, a.heartbeat_timestamp
      from networkdhcpagentbindings b join agents a on a.id = b.dhcp_agent_id
      where b.network_id in (${sql.join(slice)})`.execute(db)
    return found.rows
  })
  for (const row of rows) {
    if (!isAlive(row, now, context.options)) continue
    const of = zones.get(row.network_id) ?? new Set()
    of.add(row.availability_zone ?? 'nova')
    zones.set(row.network_id, of)
  }
  return zones
}
