import type { Db } from '../../../base/db/database.ts'
import { isAlive } from '../../store/agents.ts'
import { byIds } from '../../store/by-ids.ts'
import { sharedObjects } from '../../store/rbac-policies.ts'
import { groupBy } from '../../store/slices.ts'
import { viewStandard } from '../../store/standard.ts'
import type { NetworkRow, SegmentRow, Tables } from '../../store/tables.ts'
import { tagsOf } from '../../store/tags.ts'
import type { Values } from '../attributes.ts'
import { providerAttributes } from '../policies.ts'
import { isAsked, type ViewContext } from '../resource.ts'

const segmentAttributes = ['segments', ...providerAttributes]

/** Networks with their segments, subnets, zones and tags, each read when it is asked for. */
export async function viewNetworks(
  db: Db<Tables>,
  rows: readonly NetworkRow[],
  context: ViewContext,
): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const idsFor = (...names: readonly string[]) => (isAsked(context, ...names) ? ids : [])
  const segments = groupBy(await readSegments(db, idsFor(...segmentAttributes)), (row) => row.network_id)
  const subnetIds = idsFor('subnets', 'ipv4_address_scope', 'ipv6_address_scope')
  const subnets = groupBy(await readSubnets(db, subnetIds), (row) => row.network_id)
  const zones = await readZones(db, idsFor('availability_zones'), context)
  // What a caller who is no admin may see depends on it.
  const sharedIds = context.caller.admin ? idsFor('shared') : ids
  const shared = await sharedObjects(db, sharedIds, context.caller.projectId)
  const tags = await tagsOf(db, idsFor('tags'))
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

const readSegments = byIds((db, networkIds) =>
  db.selectFrom('networksegments').selectAll().where('network_id', 'in', networkIds).orderBy('segment_index'),
)

const readSubnets = byIds((db, networkIds) =>
  db
    .selectFrom('subnets')
    .leftJoin('subnetpools', 'subnetpools.id', 'subnets.subnetpool_id')
    .select(['subnets.id', 'subnets.network_id', 'subnets.ip_version', 'subnetpools.address_scope_id'])
    .where('subnets.network_id', 'in', networkIds)
    .orderBy('subnets.created_at')
    .orderBy('subnets.id'),
)

const scopeOf = (subnets: readonly SubnetOfNetwork[] | undefined, version: number): string | null =>
  subnets?.find((subnet) => subnet.ip_version === version && subnet.address_scope_id !== null)
    ?.address_scope_id ?? null

const readServing = byIds((db, networkIds) =>
  db
    .selectFrom('networkdhcpagentbindings as b')
    .innerJoin('agents as a', 'a.id', 'b.dhcp_agent_id')
    .select(['b.network_id', 'a.availability_zone', 'a.heartbeat_timestamp'])
    .where('b.network_id', 'in', networkIds),
)

// A network is where an agent that is alive serves its DHCP.
async function readZones(
  db: Db<Tables>,
  networkIds: readonly string[],
  context: ViewContext,
): Promise<Map<string, Set<string>>> {
  const now = new Date().toISOString()
  const zones = new Map<string, Set<string>>()
  const rows = await readServing(db, networkIds)
  for (const row of rows) {
    if (!isAlive(row, now, context.options)) continue
    const of = zones.get(row.network_id) ?? new Set()
    of.add(row.availability_zone ?? 'nova')
    zones.set(row.network_id, of)
  }
  return zones
}
