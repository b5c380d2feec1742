/** What the API's own database knows of servers that are shown one by one: one read for all of it. */
import { sql } from 'kysely'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import type { ApiTables } from './api-tables.ts'

export interface ShowFacts {
  /** Which zone each host is in that is in one. */
  zones: ReadonlyMap<string, string>
  /** How each server was asked for: the zone it was pinned to, and the groups it is in. */
  wishes: ReadonlyMap<string, { zone: string | null; groups: string[] }>
}

const readFacts = byIdsIn<ApiTables>()((db, uuids) =>
  db
    .selectFrom('request_specs as spec')
    .leftJoin('instance_group_member as member', 'member.instance_uuid', 'spec.instance_uuid')
    .leftJoin('instance_groups as group', 'group.id', 'member.group_id')
    .select([
      sql<string>`'server'`.as('kind'),
      'spec.instance_uuid as name',
      'spec.availability_zone as zone',
      'group.uuid as group_uuid',
    ])
    .where('spec.instance_uuid', 'in', uuids)
    .unionAll(
      db
        .selectFrom('aggregate_hosts')
        .innerJoin('aggregate_metadata', 'aggregate_metadata.aggregate_id', 'aggregate_hosts.aggregate_id')
        .select([
          sql<string>`'host'`.as('kind'),
          'aggregate_hosts.host as name',
          'aggregate_metadata.value as zone',
          sql<string | null>`''`.as('group_uuid'),
        ])
        .where('aggregate_metadata.key', '=', 'availability_zone'),
    ),
)

export async function readShowFacts(db: Db<ApiTables>, uuids: readonly string[]): Promise<ShowFacts> {
  const zones = new Map<string, string>()
  const wishes = new Map<string, { zone: string | null; groups: string[] }>()
  for (const { kind, name, zone, group_uuid } of await readFacts(db, uuids)) {
    if (kind === 'host') zones.set(name, zone!)
    else {
      const groups = wishes.get(name)?.groups ?? []
      if (group_uuid !== null && !groups.includes(group_uuid)) groups.push(group_uuid)
      wishes.set(name, { zone, groups })
    }
  }
  return { zones, wishes }
}
