import { timestamp } from '../../base/clock.ts'
import { nextRevision, touchProviders } from './changes.ts'
import { bumpGeneration } from './providers.ts'
import type { PlacementDb } from './tables.ts'

/** The uuids of the aggregates that a provider is in. */
export async function listAggregates(db: PlacementDb, providerId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('placement_aggregates as a')
    .innerJoin('resource_provider_aggregates as pa', 'pa.aggregate_id', 'a.id')
    .select('a.uuid')
    .where('pa.resource_provider_id', '=', providerId)
    .orderBy('a.id')
    .execute()
  return rows.map((row) => row.uuid)
}

/** Puts a provider into exactly these aggregates, which need not be known before. Runs in a transaction. */
export async function setAggregates(
  db: PlacementDb,
  provider: { id: number; generation: number },
  uuids: readonly string[],
  options: { bump: boolean },
): Promise<void> {
  const ids = await ensureAggregates(db, uuids)
  await db
    .deleteFrom('resource_provider_aggregates')
    .where('resource_provider_id', '=', provider.id)
    .execute()
  if (ids.length > 0) {
    const rows = ids.map((id) => ({ resource_provider_id: provider.id, aggregate_id: id }))
    await db.insertInto('resource_provider_aggregates').values(rows).execute()
  }
  if (!options.bump) return await touchProviders(db, [provider.id])
  await nextRevision(db)
  await bumpGeneration(db, provider)
}

async function ensureAggregates(db: PlacementDb, uuids: readonly string[]): Promise<number[]> {
  const wanted = new Set(uuids)
  if (wanted.size === 0) return []
  const read = () =>
    db
      .selectFrom('placement_aggregates')
      .select(['id', 'uuid'])
      .where('uuid', 'in', [...wanted])
      .execute()
  const known = await read()
  const missing = wanted.difference(new Set(known.map((row) => row.uuid)))
  if (missing.size === 0) return known.map((row) => row.id)
  const rows = [...missing].map((uuid) => ({ uuid, created_at: timestamp(), updated_at: null }))
  await db.insertInto('placement_aggregates').values(rows).execute()
  return (await read()).map((row) => row.id)
}
