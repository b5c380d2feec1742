import type { Db } from '../../../base/db/database.ts'
import { joinPrefixes } from '../../ipam/subnet-pools.ts'
import { sharedObjects } from '../../store/rbac-policies.ts'
import { groupBy, inSlices } from '../../store/slices.ts'
import { viewStandard } from '../../store/standard.ts'
import type { SubnetPoolRow, Tables } from '../../store/tables.ts'
import { tagsOf } from '../../store/tags.ts'
import type { Values } from '../attributes.ts'
import type { ViewContext } from '../resource.ts'

export async function viewSubnetPools(
  db: Db<Tables>,
  rows: readonly SubnetPoolRow[],
  context: ViewContext,
): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const prefixes = groupBy(
    await inSlices(ids, (slice) =>
      db.selectFrom('subnetpoolprefixes').selectAll().where('subnetpool_id', 'in', slice).execute(),
    ),
    (prefix) => prefix.subnetpool_id,
  )
  const shared = await sharedObjects(db, ids, context.caller.projectId)
  const tags = await tagsOf(db, ids)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    ...viewStandard(row),
    prefixes: joinPrefixes((prefixes.get(row.id) ?? []).map((prefix) => prefix.cidr)),
    ip_version: row.ip_version,
    default_prefixlen: row.default_prefixlen,
    min_prefixlen: row.min_prefixlen,
    max_prefixlen: row.max_prefixlen,
    default_quota: row.default_quota,
    address_scope_id: row.address_scope_id,
    is_default: row.is_default === 1,
    shared: shared.has(row.id),
    tags: tags.get(row.id) ?? [],
  }))
}
