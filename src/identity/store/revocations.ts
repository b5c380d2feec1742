/** Events by which tokens lose their validity before their time, and the count by which processes notice changes. */
import { sql } from 'kysely'
import type { Db } from '#base/db/database.ts'
import type { RevocationEventTable, Tables } from './tables.ts'

export type Revocation = Omit<RevocationEventTable, 'id'>

export async function insertRevocation(
  db: Db<Tables>,
  event: Partial<Revocation> & { issued_before: string },
): Promise<void> {
  const none = { audit_id: null, audit_chain_id: null, user_id: null, project_id: null, domain_id: null }
  await db
    .insertInto('revocation_event')
    .values({ ...none, ...event, revoked_at: event.issued_before })
    .execute()
}

export async function listRevocations(db: Db<Tables>): Promise<Revocation[]> {
  return db.selectFrom('revocation_event').selectAll().orderBy('id').execute()
}

/** Forgets events about tokens that have run out by themselves. */
export async function pruneRevocations(db: Db<Tables>, before: string): Promise<void> {
  await db.deleteFrom('revocation_event').where('revoked_at', '<', before).execute()
}

export async function readGeneration(db: Db<Tables>): Promise<number> {
  const row = await db
    .selectFrom('token_generation')
    .select('generation')
    .where('id', '=', 1)
    .executeTakeFirstOrThrow()
  return row.generation
}

export async function bumpGeneration(db: Db<Tables>): Promise<void> {
  await db
    .updateTable('token_generation')
    .set({ generation: sql`generation + 1` })
    .where('id', '=', 1)
    .execute()
}
