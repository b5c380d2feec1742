import { timestamp } from '../../base/clock.ts'
import { Fault } from '../../base/errors.ts'
import { standardTraits } from '../standard/traits.ts'
import { markNames, nextRevision } from './changes.ts'
import { bumpGeneration } from './providers.ts'
import type { PlacementDb } from './tables.ts'

export interface Trait {
  id: number
  name: string
  createdAt: string
  updatedAt: string | null
}

const columns = ['id', 'name', 'created_at as createdAt', 'updated_at as updatedAt'] as const

/** Writes the standard traits that the database does not have yet. Runs in a transaction. */
export async function syncTraits(db: PlacementDb): Promise<void> {
  const known = new Set((await listTraits(db)).map((row) => row.name))
  const missing = standardTraits
    .filter((name) => !known.has(name))
    .map((name) => ({ name, created_at: timestamp(), updated_at: null }))
  if (missing.length === 0) return
  await db.insertInto('traits').values(missing).execute()
  await markNames(db)
}

export interface TraitFilter {
  names?: readonly string[]
  prefix?: string
  /** Only those that some provider has, or that none has. */
  associated?: boolean
}

/** Traits in the order they were made. */
export async function listTraits(db: PlacementDb, filter: TraitFilter = {}): Promise<Trait[]> {
  let query = db.selectFrom('traits').select(columns).orderBy('id')
  if (filter.names !== undefined) query = query.where('name', 'in', filter.names)
  if (filter.associated !== undefined) {
    const used = db.selectFrom('resource_provider_traits').select('trait_id')
    query = query.where('id', filter.associated ? 'in' : 'not in', used)
  }
  const traits = await query.execute()
  // Not LIKE, to which the underscores of trait names are wildcards.
  const { prefix } = filter
  return prefix === undefined ? traits : traits.filter((trait) => trait.name.startsWith(prefix))
}

/** The trait; throws `not-found`. */
export async function getTrait(db: PlacementDb, name: string): Promise<Trait> {
  const trait = await db.selectFrom('traits').select(columns).where('name', '=', name).executeTakeFirst()
  if (trait === undefined) throw new Fault('not-found', `No such trait(s): ${name}.`)
  return trait
}

/** Makes sure that there is a custom trait; tells whether it is new. Runs in a transaction. */
export async function ensureTrait(
  db: PlacementDb,
  name: string,
): Promise<{ trait: Trait; created: boolean }> {
  const known = await listTraits(db, { names: [name] })
  if (known[0] !== undefined) return { trait: known[0], created: false }
  await db.insertInto('traits').values({ name, created_at: timestamp(), updated_at: null }).execute()
  await markNames(db)
  return { trait: await getTrait(db, name), created: true }
}

/** Removes a custom trait that no provider has. Runs in a transaction. */
export async function deleteTrait(db: PlacementDb, name: string): Promise<void> {
  const trait = await getTrait(db, name)
  if (!name.startsWith('CUSTOM_')) throw new Fault('invalid', `Cannot delete standard trait ${name}.`)
  const used = await db
    .selectFrom('resource_provider_traits')
    .select('trait_id')
    .where('trait_id', '=', trait.id)
    .executeTakeFirst()
  if (used !== undefined) throw new Fault('conflict', `The trait ${name} is in use by a resource provider.`)
  await db.deleteFrom('traits').where('id', '=', trait.id).execute()
  await markNames(db)
}

/** The traits of a provider. */
export const listProviderTraits = (db: PlacementDb, providerId: number): Promise<Trait[]> =>
  db
    .selectFrom('traits as t')
    .innerJoin('resource_provider_traits as rt', 'rt.trait_id', 't.id')
    .select(['t.id', 't.name', 't.created_at as createdAt', 't.updated_at as updatedAt'])
    .where('rt.resource_provider_id', '=', providerId)
    .orderBy('t.id')
    .execute()

/** Makes the traits of a provider be these; the generation stays when nothing changes. Runs in a transaction. */
export async function setProviderTraits(
  db: PlacementDb,
  provider: { id: number; generation: number },
  traits: readonly Trait[],
): Promise<void> {
  const existing = new Set((await listProviderTraits(db, provider.id)).map((trait) => trait.id))
  const wanted = new Set(traits.map((trait) => trait.id))
  const gone = existing.difference(wanted)
  const added = wanted.difference(existing)
  if (gone.size === 0 && added.size === 0) return
  if (gone.size > 0) {
    await db
      .deleteFrom('resource_provider_traits')
      .where('resource_provider_id', '=', provider.id)
      .where('trait_id', 'in', [...gone])
      .execute()
  }
  if (added.size > 0) {
    const rows = [...added].map((id) => ({ resource_provider_id: provider.id, trait_id: id }))
    await db.insertInto('resource_provider_traits').values(rows).execute()
  }
  await nextRevision(db)
  await bumpGeneration(db, provider)
}
