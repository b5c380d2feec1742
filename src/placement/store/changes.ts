/** What tells every process which providers and names to read again. */
import { type RawBuilder, sql } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import type { PlacementDb } from './tables.ts'

const countChange = statement((db: PlacementDb) =>
  db
    .updateTable('provider_changes')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', 1),
)

/** The number of the last change, to be used in a statement. */
export const lastRevision: RawBuilder<number> = sql<number>`(SELECT version FROM provider_changes WHERE id = 1)`

/**
 * Counts a change, before the rows that it touches are given its number, `lastRevision`. Done last in a transaction: on
 * some databases it holds back other writers until commit.
 */
export async function nextRevision(db: PlacementDb): Promise<void> {
  await countChange(db, {})
}

export interface Changes {
  version: number
  deletions: number
  names: number
}

const selectChanges = statement((db: PlacementDb) =>
  db.selectFrom('provider_changes').select(['version', 'deletions', 'names']).where('id', '=', 1),
)

/** The counters as they are now. */
export async function getChanges(db: PlacementDb): Promise<Changes> {
  const row = (await selectChanges(db, {})).rows[0]!
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

const markTouched = statement((db: PlacementDb, p: { id: number }) =>
  db.updateTable('resource_providers').set({ revision: lastRevision }).where('id', '=', p.id),
)

/** Says that these providers changed in a way their generation does not tell. */
export async function touchProviders(db: PlacementDb, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await nextRevision(db)
  for (const id of ids) await markTouched(db, { id })
}
