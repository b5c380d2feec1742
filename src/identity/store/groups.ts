import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { GroupTable, Tables } from './tables.ts'

export type GroupRow = GroupTable

export async function findGroup(db: Db<Tables>, id: string): Promise<GroupRow | undefined> {
  return db.selectFrom('group').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getGroup(db: Db<Tables>, id: string): Promise<GroupRow> {
  const row = await findGroup(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find group: ${id}.`, { id })
  return row
}

export async function listGroups(
  db: Db<Tables>,
  filter: { domainId?: string; name?: string; userId?: string } = {},
): Promise<GroupRow[]> {
  let query = db.selectFrom('group').selectAll().orderBy('name').orderBy('id')
  const { domainId, name, userId } = filter
  if (domainId !== undefined) query = query.where('domain_id', '=', domainId)
  if (name !== undefined) query = query.where('name', '=', name)
  if (userId !== undefined) {
    query = query.where('id', 'in', (inner) =>
      inner.selectFrom('user_group_membership').select('group_id').where('user_id', '=', userId),
    )
  }
  return query.execute()
}

const duplicate = (name: string, domainId: string): Fault =>
  new Fault(
    'conflict',
    `Conflict occurred attempting to store group - Duplicate entry found with name ${name} at domain ID ${domainId}.`,
  )

export async function insertGroup(db: Db<Tables>, row: GroupRow): Promise<void> {
  await db
    .insertInto('group')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate(row.name, row.domain_id) : error
    })
}

export async function updateGroup(db: Db<Tables>, group: GroupRow, change: Partial<GroupRow>): Promise<void> {
  await db
    .updateTable('group')
    .set(change)
    .where('id', '=', group.id)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate(change.name ?? group.name, group.domain_id) : error
    })
}

export async function removeGroups(db: Db<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  for (const type of ['GroupProject', 'GroupDomain'] as const) {
    await db.deleteFrom('assignment').where('type', '=', type).where('actor_id', 'in', ids).execute()
  }
  await db
    .deleteFrom('system_assignment')
    .where('type', '=', 'GroupSystem')
    .where('actor_id', 'in', ids)
    .execute()
  await db.deleteFrom('group').where('id', 'in', ids).execute()
}

export async function isMember(db: Db<Tables>, userId: string, groupId: string): Promise<boolean> {
  const row = await db
    .selectFrom('user_group_membership')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('group_id', '=', groupId)
    .executeTakeFirst()
  return row !== undefined
}

/** Joining twice is joining once. */
export async function addMember(db: Db<Tables>, userId: string, groupId: string): Promise<void> {
  await db
    .insertInto('user_group_membership')
    .values({ user_id: userId, group_id: groupId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** False when the user was not in the group. */
export async function removeMember(db: Db<Tables>, userId: string, groupId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('user_group_membership')
    .where('user_id', '=', userId)
    .where('group_id', '=', groupId)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export async function groupIdsOf(db: Db<Tables>, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('user_group_membership')
    .select('group_id')
    .where('user_id', '=', userId)
    .execute()
  return rows.map((row) => row.group_id)
}

export async function memberIdsOf(db: Db<Tables>, groupId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('user_group_membership')
    .select('user_id')
    .where('group_id', '=', groupId)
    .execute()
  return rows.map((row) => row.user_id)
}
