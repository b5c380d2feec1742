/** Secrets that users keep for other ways to log in, EC2's above all. */
import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { CredentialTable, Tables } from './tables.ts'

export type CredentialRow = CredentialTable

export async function findCredential(db: Db<Tables>, id: string): Promise<CredentialRow | undefined> {
  return db.selectFrom('credential').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getCredential(db: Db<Tables>, id: string): Promise<CredentialRow> {
  const row = await findCredential(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find credential: ${id}.`, { id })
  return row
}

export async function listCredentials(
  db: Db<Tables>,
  filter: { userId?: string; type?: string } = {},
): Promise<CredentialRow[]> {
  let query = db.selectFrom('credential').selectAll().orderBy('id')
  if (filter.userId !== undefined) query = query.where('user_id', '=', filter.userId)
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  return query.execute()
}

export async function insertCredential(db: Db<Tables>, row: CredentialRow): Promise<void> {
  await db
    .insertInto('credential')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      throw new Fault('conflict', 'Conflict occurred attempting to store credential - Duplicate entry.')
    })
}

export async function updateCredential(
  db: Db<Tables>,
  id: string,
  change: Partial<CredentialRow>,
): Promise<void> {
  await db.updateTable('credential').set(change).where('id', '=', id).execute()
}

export async function removeCredential(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('credential').where('id', '=', id).execute()
}
