import { timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import { insertRowsStatement, statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import { errorCodes } from '../error-codes.ts'
import { readCapacity, takeCapacity, type Wanted } from './capacity.ts'
import { nextRevision, touchProviders } from './changes.ts'
import {
  assertConsumerGeneration,
  type ConsumerValues,
  deleteConsumer,
  deleteUnchangedConsumer,
  findConsumers,
  insertConsumer,
  insertWithKnown,
  unknownConsumerType,
  updateConsumer,
} from './consumers.ts'
import { bumpGeneration } from './providers.ts'
import type { PlacementDb, Tables } from './tables.ts'

/** What one consumer shall have, in place of what it has; nothing removes it. */
export interface ConsumerWrite extends ConsumerValues {
  uuid: string
  /** What its generation is believed to be, null for a new consumer; undefined when the client cannot tell. */
  generation?: number | null
  allocations: readonly Wanted[]
}

const insertAllocations = insertRowsStatement<Tables, 'allocations'>('allocations')

/**
 * Replaces the allocations of some consumers, all or none: capacities are checked as if the consumers had nothing
 * before, and the generation of every provider that is allocated from moves on. Runs in a transaction.
 */
export async function replaceAllocations(db: PlacementDb, writes: readonly ConsumerWrite[]): Promise<void> {
  if (writes.length === 0) return
  const added = new Set<string>()
  // Who believes that there is no such consumer is mostly right: it need not be looked for first.
  for (const write of writes) {
    if (write.generation !== null || write.allocations.length === 0) continue
    if (await insertWithKnown(db, write.uuid, write)) added.add(write.uuid)
  }
  const consumers = await findConsumers(
    db,
    writes.flatMap(({ uuid }) => (added.has(uuid) ? [] : uuid)),
  )
  for (const write of writes) {
    if (write.generation !== undefined) assertConsumerGeneration(consumers.get(write.uuid), write.generation)
  }
  // Consumers first, here as in deleteAllocations: who writes the same one at the same time waits for the end of this.
  const vacated = new Set<string>()
  for (const write of writes) {
    const consumer = consumers.get(write.uuid)
    if (write.allocations.length === 0) {
      if (consumer !== undefined) await deleteUnchangedConsumer(db, consumer)
      vacated.add(write.uuid)
    } else if (consumer === undefined) {
      if (!added.has(write.uuid)) await insertConsumer(db, write.uuid, write)
    } else await updateConsumer(db, consumer, write)
  }
  const replaced = [...consumers.keys()]
  const former = await formerProviders(db, replaced)
  if (former.length > 0) await db.deleteFrom('allocations').where('consumer_id', 'in', replaced).execute()
  const wanted = writes.flatMap((write) => write.allocations)
  const providers = await readCapacity(db, [...new Set(wanted.map((one) => one.providerUuid))])
  await takeCapacity(db, providers, wanted)

  const now = timestamp()
  for (const write of writes) {
    const rows = write.allocations.flatMap(({ providerUuid, resources }) => {
      const provider = providers.get(providerUuid)!
      return Object.entries(resources).map(([name, used]) => ({
        resource_provider_id: provider.id,
        resource_class_id: provider.inventories.get(name)!.classId,
        consumer_id: write.uuid,
        used,
        created_at: now,
        updated_at: null,
      }))
    })
    await insertAllocations(db, rows)
  }

  // A provider left by a consumer that has nothing any more moves on too; one left by a move only gets free space.
  const bumped = new Map([...providers.values()].map((provider) => [provider.id, provider.generation]))
  for (const row of former) if (vacated.has(row.consumer)) bumped.set(row.id, row.generation)
  await touchProviders(
    db,
    former.map((row) => row.id).filter((id) => !bumped.has(id)),
  )
  await nextRevision(db)
  for (const [id, generation] of bumped) await bumpGeneration(db, { id, generation })
}

async function formerProviders(
  db: PlacementDb,
  consumers: readonly string[],
): Promise<{ id: number; generation: number; consumer: string }[]> {
  return await readFormer(db, consumers)
}

const readFormer = byIdsIn<Tables>()((db, consumers) =>
  db
    .selectFrom('allocations as a')
    .innerJoin('resource_providers as p', 'p.id', 'a.resource_provider_id')
    .select(['p.id', 'p.generation', 'a.consumer_id as consumer'])
    .distinct()
    .where('a.consumer_id', 'in', consumers),
)
const removeOf = statement((db: PlacementDb, p: { consumer: string }) =>
  db.deleteFrom('allocations').where('consumer_id', '=', p.consumer),
)

/** Removes all that a consumer has, and the consumer; throws `not-found` when it has nothing. Runs in a transaction. */
export async function deleteAllocations(db: PlacementDb, consumer: string): Promise<void> {
  await deleteConsumer(db, consumer)
  const former = await formerProviders(db, [consumer])
  if (former.length === 0) throw new Fault('not-found', `No allocations for consumer '${consumer}'`)
  await removeOf(db, { consumer })
  await touchProviders(
    db,
    former.map((row) => row.id),
  )
}

export interface ConsumerAllocations {
  /** By provider uuid. */
  providers: Map<string, { generation: number; resources: Record<string, number> }>
  projectId: string
  userId: string
  generation: number
  type: string
  /** The newest allocation's. */
  modifiedAt: string
}

/** What a consumer has, or undefined when it has nothing. */
export async function findConsumerAllocations(
  db: PlacementDb,
  uuid: string,
): Promise<ConsumerAllocations | undefined> {
  const rows = await db
    .selectFrom('allocations as a')
    .innerJoin('resource_providers as p', 'p.id', 'a.resource_provider_id')
    .innerJoin('resource_classes as rc', 'rc.id', 'a.resource_class_id')
    .innerJoin('consumers as c', 'c.uuid', 'a.consumer_id')
    .innerJoin('projects', 'projects.id', 'c.project_id')
    .innerJoin('users', 'users.id', 'c.user_id')
    .leftJoin('consumer_types as t', 't.id', 'c.consumer_type_id')
    .select([
      'p.uuid',
      'p.generation',
      'rc.name',
      'a.used',
      'a.created_at',
      'c.generation as consumer_generation',
    ])
    .select(['projects.external_id as project_id', 'users.external_id as user_id', 't.name as type'])
    .where('a.consumer_id', '=', uuid)
    .orderBy('a.id')
    .execute()
  const first = rows[0]
  if (first === undefined) return undefined
  const providers: ConsumerAllocations['providers'] = new Map()
  for (const row of rows) {
    const held = providers.get(row.uuid) ?? { generation: row.generation, resources: {} }
    held.resources[row.name] = row.used
    providers.set(row.uuid, held)
  }
  return {
    providers,
    projectId: first.project_id,
    userId: first.user_id,
    generation: first.consumer_generation,
    type: first.type ?? unknownConsumerType,
    modifiedAt: latest(rows.map((row) => row.created_at)),
  }
}

export interface ProviderAllocations {
  /** By consumer uuid. */
  consumers: Map<string, { consumerGeneration: number; resources: Record<string, number> }>
  modifiedAt: string | undefined
}

/** Who has what of a provider. */
export async function listProviderAllocations(
  db: PlacementDb,
  providerId: number,
): Promise<ProviderAllocations> {
  const rows = await db
    .selectFrom('allocations as a')
    .innerJoin('resource_classes as rc', 'rc.id', 'a.resource_class_id')
    .innerJoin('consumers as c', 'c.uuid', 'a.consumer_id')
    .select(['a.consumer_id', 'rc.name', 'a.used', 'a.created_at', 'c.generation'])
    .where('a.resource_provider_id', '=', providerId)
    .orderBy('a.id')
    .execute()
  const consumers: ProviderAllocations['consumers'] = new Map()
  for (const row of rows) {
    const held = consumers.get(row.consumer_id) ?? { consumerGeneration: row.generation, resources: {} }
    held.resources[row.name] = row.used
    consumers.set(row.consumer_id, held)
  }
  return { consumers, modifiedAt: rows.length === 0 ? undefined : latest(rows.map((row) => row.created_at)) }
}

const latest = (times: readonly string[]): string => times.toSorted().at(-1)!

/** Runs a write again while it fails only because another was first at a provider. */
export async function retryOnConflict<T>(attempts: number, write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof Fault) || error.details['retry'] !== true) throw error
      if (attempt < attempts) continue
      throw new Fault(
        'conflict',
        `Inventory and/or allocations changed while attempting to allocate: ${error.message}`,
        { code: errorCodes.concurrentUpdate },
        error,
      )
    }
  }
}
