/** Policy documents that services may keep here; identity does not read them. */
import type { Db } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { PolicyTable, Tables } from './tables.ts'

export type PolicyRow = PolicyTable

export async function getPolicy(db: Db<Tables>, id: string): Promise<PolicyRow> {
  const row = await db.selectFrom('policy').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Fault('not-found', `Could not find policy: ${id}.`, { id })
  return row
}

export async function listPolicies(db: Db<Tables>): Promise<PolicyRow[]> {
  return db.selectFrom('policy').selectAll().orderBy('id').execute()
}

export async function insertPolicy(db: Db<Tables>, row: PolicyRow): Promise<void> {
  await db.insertInto('policy').values(row).execute()
}

export async function updatePolicy(db: Db<Tables>, id: string, change: Partial<PolicyRow>): Promise<void> {
  await db.updateTable('policy').set(change).where('id', '=', id).execute()
}

export async function removePolicy(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('policy').where('id', '=', id).execute()
}
