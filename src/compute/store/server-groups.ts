/** Groups of servers that shall stand together or apart, with their policy and members. */
import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import type { ApiTables, InstanceGroupsTable } from './api-tables.ts'

export type ServerGroupPolicy = 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity'

export interface ServerGroup extends Selectable<InstanceGroupsTable> {
  policy: ServerGroupPolicy
  rules: { max_server_per_host?: number }
  /** Uuids; some may be deleted since. */
  members: string[]
}

export interface NewServerGroup {
  uuid: string
  name: string
  projectId: string
  userId: string
  policy: ServerGroupPolicy
  rules: { max_server_per_host?: number }
}

export async function listServerGroups(
  db: Db<ApiTables>,
  filter: { projectId?: string; offset?: number; limit?: number } = {},
): Promise<ServerGroup[]> {
  let query = db.selectFrom('instance_groups').selectAll().orderBy('id')
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  if (filter.limit !== undefined) query = query.limit(filter.limit)
  if (filter.offset !== undefined) query = query.offset(filter.offset)
  return await withParts(db, await query.execute())
}

export async function findServerGroup(db: Db<ApiTables>, uuid: string): Promise<ServerGroup | undefined> {
  const rows = await db.selectFrom('instance_groups').selectAll().where('uuid', '=', uuid).execute()
  return (await withParts(db, rows))[0]
}

export async function getServerGroup(db: Db<ApiTables>, uuid: string): Promise<ServerGroup> {
  const group = await findServerGroup(db, uuid)
  if (group === undefined) throw serverGroupNotFound(uuid)
  return group
}

export const serverGroupNotFound = (uuid: string): Fault =>
  new Fault('not-found', `Instance group ${uuid} could not be found.`, { what: 'Instance group', id: uuid })

async function withParts(
  db: Db<ApiTables>,
  rows: readonly Selectable<InstanceGroupsTable>[],
): Promise<ServerGroup[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const policies = await db
    .selectFrom('instance_group_policy')
    .selectAll()
    .where('group_id', 'in', ids)
    .execute()
  const members = await db
    .selectFrom('instance_group_member')
    .selectAll()
    .where('group_id', 'in', ids)
    .orderBy('id')
    .execute()
  const policyOf = new Map(policies.map((policy) => [policy.group_id, policy]))
  const membersOf = Map.groupBy(members, (member) => member.group_id)
  return rows.map((row) => {
    const policy = policyOf.get(row.id)
    return {
      ...row,
      policy: (policy?.policy ?? 'anti-affinity') as ServerGroupPolicy,
      rules: policy === undefined ? {} : JSON.parse(policy.rules),
      members: (membersOf.get(row.id) ?? []).map((member) => member.instance_uuid),
    }
  })
}

export async function countServerGroups(
  db: Db<ApiTables>,
  projectId: string,
  userId?: string,
): Promise<number> {
  let query = db
    .selectFrom('instance_groups')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('project_id', '=', projectId)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  return Number((await query.executeTakeFirstOrThrow()).count)
}

export async function insertServerGroup(db: Db<ApiTables>, group: NewServerGroup): Promise<ServerGroup> {
  const { id } = await db
    .insertInto('instance_groups')
    .values({
      uuid: group.uuid,
      name: group.name,
      project_id: group.projectId,
      user_id: group.userId,
      created_at: timestamp(),
      updated_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await db
    .insertInto('instance_group_policy')
    .values({ group_id: id, policy: group.policy, rules: JSON.stringify(group.rules) })
    .execute()
  return await getServerGroup(db, group.uuid)
}

export async function deleteServerGroup(db: Db<ApiTables>, group: ServerGroup): Promise<void> {
  await db.deleteFrom('instance_group_member').where('group_id', '=', group.id).execute()
  await db.deleteFrom('instance_group_policy').where('group_id', '=', group.id).execute()
  await db.deleteFrom('instance_groups').where('id', '=', group.id).execute()
}

/** A server that is in the group already stays so. */
export async function addGroupMembers(
  db: Db<ApiTables>,
  group: ServerGroup,
  serverUuids: readonly string[],
): Promise<void> {
  const fresh = serverUuids.filter((uuid) => !group.members.includes(uuid))
  if (fresh.length === 0) return
  await db
    .insertInto('instance_group_member')
    .values(fresh.map((instance_uuid) => ({ group_id: group.id, instance_uuid })))
    .execute()
}

const removeMember = statement((db: Db<ApiTables>, p: { serverUuid: string }) =>
  db.deleteFrom('instance_group_member').where('instance_uuid', '=', p.serverUuid),
)

/** Takes a server out of whatever groups it is in. */
export async function removeGroupMember(db: Db<ApiTables>, serverUuid: string): Promise<void> {
  await removeMember(db, { serverUuid })
}
