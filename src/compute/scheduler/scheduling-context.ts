import type { Kysely } from 'kysely'
import type { ApiTables } from '../store/api-tables.ts'
import { type CellDb, inReachable } from '../store/cell-dbs.ts'
import type { RequestSpec } from '../store/request-specs.ts'
import type { SchedulingContext } from './host-state.ts'

/**
 * Reads the server group and where the servers are that the hints name; nothing when there are none. `chosen` holds
 * hosts that were chosen a moment ago.
 */
export async function schedulingContext(
  { apiDb, cells }: { apiDb: Kysely<ApiTables>; cells: () => readonly CellDb[] },
  spec: RequestSpec,
  chosen: ReadonlyMap<string, string>,
): Promise<SchedulingContext> {
  const group = spec.groupUuid === null ? null : await readGroup(apiDb, spec.groupUuid)
  const { same_host = [], different_host = [] } = spec.schedulerHints
  const named = new Set([...same_host, ...different_host, ...(group?.members ?? [])])
  named.delete(spec.instanceUuid)
  const hostOf = new Map<string, string>()
  for (const uuid of named) if (chosen.has(uuid)) hostOf.set(uuid, chosen.get(uuid)!)
  if (named.size > 0) {
    const ofCells = await inReachable(cells(), (cell) =>
      cell.db
        .selectFrom('instances')
        .select(['uuid', 'host'])
        .where('uuid', 'in', [...named])
        .where('deleted', '=', 0)
        .execute(),
    )
    for (const row of ofCells.flat()) if (row.host !== null) hostOf.set(row.uuid, row.host)
  }
  return { spec, hostOf, group }
}

async function readGroup(db: Kysely<ApiTables>, uuid: string): Promise<SchedulingContext['group']> {
  const row = await db
    .selectFrom('instance_groups')
    .innerJoin('instance_group_policy', 'instance_group_policy.group_id', 'instance_groups.id')
    .select(['instance_groups.id', 'instance_group_policy.policy', 'instance_group_policy.rules'])
    .where('instance_groups.uuid', '=', uuid)
    .executeTakeFirst()
  if (row === undefined) return null
  const members = await db
    .selectFrom('instance_group_member')
    .select('instance_uuid')
    .where('group_id', '=', row.id)
    .execute()
  const rules = JSON.parse(row.rules === '' ? '{}' : row.rules) as { max_server_per_host?: number | string }
  return {
    policy: row.policy,
    maxPerHost: Number(rules.max_server_per_host ?? 1),
    members: members.map((member) => member.instance_uuid),
  }
}
