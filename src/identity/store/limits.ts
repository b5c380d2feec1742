/** Unified limits: how much of a resource a project or domain may have, and what goes for those without a limit. */
import type { Db } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { LimitTable, RegisteredLimitTable, Tables } from './tables.ts'

export type RegisteredLimitRow = RegisteredLimitTable
/** A limit with the resource that its registered limit names. */
export type LimitRow = LimitTable & Pick<RegisteredLimitTable, 'service_id' | 'region_id' | 'resource_name'>

export async function getRegisteredLimit(db: Db<Tables>, id: string): Promise<RegisteredLimitRow> {
  const row = await db.selectFrom('registered_limit').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Fault('not-found', `Could not find registered limit for ${id}.`, { id })
  return row
}

export async function listRegisteredLimits(db: Db<Tables>): Promise<RegisteredLimitRow[]> {
  return db.selectFrom('registered_limit').selectAll().orderBy('id').execute()
}

/** The registered limit of exactly that resource. */
export async function findRegisteredLimit(
  db: Db<Tables>,
  resource: { service_id: string; region_id: string | null; resource_name: string },
): Promise<RegisteredLimitRow | undefined> {
  return db
    .selectFrom('registered_limit')
    .selectAll()
    .where('service_id', '=', resource.service_id)
    .where('region_id', resource.region_id === null ? 'is' : '=', resource.region_id)
    .where('resource_name', '=', resource.resource_name)
    .executeTakeFirst()
}

export async function insertRegisteredLimit(db: Db<Tables>, row: RegisteredLimitRow): Promise<void> {
  if ((await findRegisteredLimit(db, row)) !== undefined) throw duplicate('registered_limit')
  await db.insertInto('registered_limit').values(row).execute()
}

export async function updateRegisteredLimit(
  db: Db<Tables>,
  id: string,
  change: Partial<RegisteredLimitRow>,
): Promise<void> {
  const other = await findRegisteredLimit(db, { ...(await getRegisteredLimit(db, id)), ...change })
  if (other !== undefined && other.id !== id) throw duplicate('registered_limit')
  await db.updateTable('registered_limit').set(change).where('id', '=', id).execute()
}

export async function removeRegisteredLimit(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('registered_limit').where('id', '=', id).execute()
}

const joined = (db: Db<Tables>) =>
  db
    .selectFrom('limit')
    .innerJoin('registered_limit', 'registered_limit.id', 'limit.registered_limit_id')
    .selectAll('limit')
    .select(['registered_limit.service_id', 'registered_limit.region_id', 'registered_limit.resource_name'])

export async function findLimit(db: Db<Tables>, id: string): Promise<LimitRow | undefined> {
  return joined(db).where('limit.id', '=', id).executeTakeFirst()
}

export async function getLimit(db: Db<Tables>, id: string): Promise<LimitRow> {
  const row = await findLimit(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find limit for ${id}.`, { id })
  return row
}

export async function listLimits(
  db: Db<Tables>,
  filter: { registeredLimitId?: string } = {},
): Promise<LimitRow[]> {
  let query = joined(db).orderBy('limit.id')
  const { registeredLimitId } = filter
  if (registeredLimitId !== undefined) {
    query = query.where('limit.registered_limit_id', '=', registeredLimitId)
  }
  return query.execute()
}

export async function insertLimit(db: Db<Tables>, row: LimitTable): Promise<void> {
  const others = await listLimits(db, { registeredLimitId: row.registered_limit_id })
  const same = (other: LimitRow): boolean =>
    other.project_id === row.project_id && other.domain_id === row.domain_id
  if (others.some(same)) throw duplicate('limit')
  await db.insertInto('limit').values(row).execute()
}

export async function updateLimit(db: Db<Tables>, id: string, change: Partial<LimitTable>): Promise<void> {
  await db.updateTable('limit').set(change).where('id', '=', id).execute()
}

export async function removeLimit(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('limit').where('id', '=', id).execute()
}

const duplicate = (what: string): Fault =>
  new Fault('conflict', `Conflict occurred attempting to store ${what} - Duplicate entry.`)
