/** What tells every process which providers and names to read again. */
import { type RawBuilder, sql } from 'kysely'
import type { PlacementDb } from './tables.ts'

/** The number of a change, as the database has it. */
export type Revision = RawBuilder<number>

/**
 * Counts a change and gives its number, for the rows that it touches. Taken last in a transaction: on some databases it
 * holds back other writers until commit.
 */
export async function nextRevision(db: PlacementDb): Promise<Revision> {
  await db
    .updateTable('provider_changes')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', 1)
    .execute()
  return sql<number>`(SELECT version FROM provider_changes WHERE id = 1)`
}

export interface Changes {
  version: number
  deletions: number
  names: number
}

/** The counters as they are now. */
export async function getChanges(db: PlacementDb): Promise<Changes> {
  const row = await db
    .selectFrom('provider_changes')
    .select(['version', 'deletions', 'names'])
    .where('id', '=', 1)
    .executeTakeFirstOrThrow()
  // Some drivers give bigints as text.
  return { version: Number(row.version), deletions: Number(row.deletions), names: Number(row.names) }
}

/** Says that a provider is gone. */
export async function markDeletion(db: PlacementDb): Promise<void> {
  await nextRevision(db)
  await db
    .updateTable('provider_changes')
    .set((eb) => ({ deletions: eb.ref('version') }))
    .where('id', '=', 1)
    .execute()
}

/** Says that a resource class or trait came, went or was renamed. */
export async function markNames(db: PlacementDb): Promise<void> {
  await db
    .updateTable('provider_changes')
    .set((eb) => ({ names: eb('names', '+', 1) }))
    .where('id', '=', 1)
    .execute()
}

/** Says that these providers changed in a way their generation does not tell. */
export async function touchProviders(db: PlacementDb, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  const revision = await nextRevision(db)
  await db.updateTable('resource_providers').set({ revision }).where('id', 'in', ids).execute()
}
