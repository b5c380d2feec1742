/** Roles and what one role implies of others. */
import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import { globalRole, type RoleTable, type Tables } from './tables.ts'

export type RoleRow = RoleTable

export async function findRole(db: Db<Tables>, id: string): Promise<RoleRow | undefined> {
  return db.selectFrom('role').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getRole(db: Db<Tables>, id: string): Promise<RoleRow> {
  const row = await findRole(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find role: ${id}.`, { id })
  return row
}

export async function listRoles(
  db: Db<Tables>,
  filter: { domainId?: string; name?: string; ids?: readonly string[] } = {},
): Promise<RoleRow[]> {
  if (filter.ids?.length === 0) return []
  let query = db.selectFrom('role').selectAll().orderBy('name').orderBy('id')
  if (filter.domainId !== undefined) query = query.where('domain_id', '=', filter.domainId)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.ids !== undefined) query = query.where('id', 'in', filter.ids)
  return query.execute()
}

export async function findRoleByName(db: Db<Tables>, name: string): Promise<RoleRow | undefined> {
  const rows = await listRoles(db, { name, domainId: globalRole })
  return rows[0]
}

function duplicate(row: RoleRow): Fault {
  const where = row.domain_id === globalRole ? '' : ` at domain ID ${row.domain_id}`
  return new Fault(
    'conflict',
    `Conflict occurred attempting to store role - Duplicate entry found with name ${row.name}${where}.`,
  )
}

export async function insertRole(db: Db<Tables>, row: RoleRow): Promise<void> {
  await db
    .insertInto('role')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate(row) : error
    })
}

export async function updateRole(db: Db<Tables>, role: RoleRow, change: Partial<RoleRow>): Promise<void> {
  await db
    .updateTable('role')
    .set(change)
    .where('id', '=', role.id)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate({ ...role, ...change }) : error
    })
}

/** Its assignments and implications go with it. */
export async function removeRole(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('role').where('id', '=', id).execute()
}

/** Prior role → the roles it implies by itself. */
export type Implications = ReadonlyMap<string, readonly string[]>

export async function loadImplications(db: Db<Tables>): Promise<Implications> {
  const rows = await db.selectFrom('implied_role').selectAll().execute()
  const implied = new Map<string, string[]>()
  for (const row of rows) {
    const of = implied.get(row.prior_role_id)
    if (of === undefined) implied.set(row.prior_role_id, [row.implied_role_id])
    else of.push(row.implied_role_id)
  }
  return implied
}

/** The roles and all that they imply, each once, the given ones first. */
export function withImplied(ids: Iterable<string>, implications: Implications): string[] {
  const all = new Set(ids)
  // A set visits what is added while it is walked.
  for (const id of all) for (const implied of implications.get(id) ?? []) all.add(implied)
  return [...all]
}

export async function insertImplication(db: Db<Tables>, prior: string, implied: string): Promise<void> {
  await db
    .insertInto('implied_role')
    .values({ prior_role_id: prior, implied_role_id: implied })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** False when there was none. */
export async function removeImplication(db: Db<Tables>, prior: string, implied: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('implied_role')
    .where('prior_role_id', '=', prior)
    .where('implied_role_id', '=', implied)
    .executeTakeFirst()
  return numDeletedRows > 0n
}
