/** Application credentials, and the access rules that narrow them. */
import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import type { AccessRuleTable, ApplicationCredentialTable, Tables } from './tables.ts'

export type ApplicationCredentialRow = ApplicationCredentialTable
export type AccessRuleRow = AccessRuleTable

export async function findApplicationCredential(
  db: Db<Tables>,
  id: string,
): Promise<ApplicationCredentialRow | undefined> {
  return db.selectFrom('application_credential').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getApplicationCredential(
  db: Db<Tables>,
  id: string,
): Promise<ApplicationCredentialRow> {
  const row = await findApplicationCredential(db, id)
  if (row === undefined) {
    throw new Fault('not-found', `Could not find Application Credential: ${id}.`, { id })
  }
  return row
}

export async function listApplicationCredentials(
  db: Db<Tables>,
  userId: string,
  filter: { name?: string } = {},
): Promise<ApplicationCredentialRow[]> {
  let query = db.selectFrom('application_credential').selectAll().where('user_id', '=', userId)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  return query.orderBy('name').execute()
}

export async function insertApplicationCredential(
  db: Db<Tables>,
  row: ApplicationCredentialRow,
): Promise<void> {
  await db
    .insertInto('application_credential')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      throw new Fault(
        'conflict',
        `Conflict occurred attempting to store application_credential - Duplicate entry found with name ${row.name}.`,
      )
    })
}

export async function removeApplicationCredential(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('application_credential').where('id', '=', id).execute()
}

/** Those of a user on a project, when the user loses its roles there. */
export async function removeApplicationCredentialsOf(
  db: Db<Tables>,
  userId: string,
  projectId: string,
): Promise<void> {
  await db
    .deleteFrom('application_credential')
    .where('user_id', '=', userId)
    .where('project_id', '=', projectId)
    .execute()
}

export async function listAccessRules(
  db: Db<Tables>,
  filter: { userId?: string; ids?: readonly string[] },
): Promise<AccessRuleRow[]> {
  if (filter.ids?.length === 0) return []
  let query = db.selectFrom('access_rule').selectAll().orderBy('id')
  if (filter.userId !== undefined) query = query.where('user_id', '=', filter.userId)
  if (filter.ids !== undefined) query = query.where('id', 'in', filter.ids)
  return query.execute()
}

/** The user's rule of that content, made when there is none. */
export async function ensureAccessRule(
  db: Db<Tables>,
  rule: Omit<AccessRuleRow, 'id'>,
): Promise<AccessRuleRow> {
  await db
    .insertInto('access_rule')
    .values({ id: newHexId(), ...rule })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return db
    .selectFrom('access_rule')
    .selectAll()
    .where('user_id', '=', rule.user_id)
    .where('service', '=', rule.service)
    .where('method', '=', rule.method)
    .where('path', '=', rule.path)
    .executeTakeFirstOrThrow()
}

export async function removeAccessRule(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('access_rule').where('id', '=', id).execute()
}
