import { sql } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { Fault } from '../../base/errors.ts'
import { errorCodes } from '../error-codes.ts'
import type { PlacementDb } from './tables.ts'

/** How a consumer without a type is shown. */
export const unknownConsumerType = 'unknown'

export interface Consumer {
  id: number
  uuid: string
  generation: number
  typeId: number | null
}

/** By uuid, those of the given that exist. */
export async function findConsumers(
  db: PlacementDb,
  uuids: readonly string[],
): Promise<Map<string, Consumer>> {
  const rows = await db
    .selectFrom('consumers')
    .select(['id', 'uuid', 'generation', 'consumer_type_id as typeId'])
    .where('uuid', 'in', uuids)
    .execute()
  return new Map(rows.map((row) => [row.uuid, row]))
}

/** Throws a conflict unless the consumer is as its writer believes; null means that there is none. */
export function assertConsumerGeneration(consumer: Consumer | undefined, believed: number | null): void {
  const actual = consumer?.generation ?? null
  if (actual === believed) return
  throw new Fault(
    'conflict',
    `consumer generation conflict - expected ${actual ?? 'null'} but got ${believed ?? 'None'}`,
    { code: errorCodes.concurrentUpdate },
  )
}

export interface ConsumerValues {
  projectId: string
  userId: string
  /** Undefined leaves the type. */
  type?: string
}

/** Adds a consumer that has its first allocations. */
export async function insertConsumer(db: PlacementDb, uuid: string, values: ConsumerValues): Promise<void> {
  if (await insertWithKnown(db, uuid, values)) return
  await ensureExternal(db, 'projects', values.projectId)
  await ensureExternal(db, 'users', values.userId)
  if (values.type !== undefined) await ensureType(db, values.type)
  await insertWithKnown(db, uuid, values)
}

// One statement where project, user and type were seen before, as they mostly were; else it inserts nothing.
async function insertWithKnown(db: PlacementDb, uuid: string, values: ConsumerValues): Promise<boolean> {
  const { type } = values
  const known = db
    .selectFrom(['projects', 'users'])
    .$if(type !== undefined, (query) =>
      query.innerJoin('consumer_types', (join) => join.on('consumer_types.name', '=', type!)),
    )
    .select((eb) => [
      eb.val(uuid).as('uuid'),
      'projects.id as project_id',
      'users.id as user_id',
      sql<number>`1`.as('generation'),
      type === undefined ? sql<null>`NULL`.as('type_id') : sql<number>`consumer_types.id`.as('type_id'),
      eb.val(timestamp()).as('created_at'),
    ])
    .where('projects.external_id', '=', values.projectId)
    .where('users.external_id', '=', values.userId)
  const result = await db
    .insertInto('consumers')
    .columns(['uuid', 'project_id', 'user_id', 'generation', 'consumer_type_id', 'created_at'])
    .expression(known)
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

/** Writes the facts of a consumer and adds one to the generation that was read; a conflict when another was first. */
export async function updateConsumer(
  db: PlacementDb,
  consumer: Consumer,
  values: ConsumerValues,
): Promise<void> {
  const result = await db
    .updateTable('consumers')
    .set({
      project_id: await ensureExternal(db, 'projects', values.projectId),
      user_id: await ensureExternal(db, 'users', values.userId),
      consumer_type_id: values.type === undefined ? consumer.typeId : await ensureType(db, values.type),
      generation: consumer.generation + 1,
      updated_at: timestamp(),
    })
    .where('id', '=', consumer.id)
    .where('generation', '=', consumer.generation)
    .executeTakeFirst()
  if (result.numUpdatedRows === 1n) return
  throw new Fault(
    'conflict',
    'Inventory and/or allocations changed while attempting to allocate: the consumer was updated by another thread. Please retry your update',
    { code: errorCodes.concurrentUpdate },
  )
}

/** Removes the records of consumers that have no allocations any more. */
export async function deleteConsumers(db: PlacementDb, uuids: readonly string[]): Promise<void> {
  if (uuids.length > 0) await db.deleteFrom('consumers').where('uuid', 'in', uuids).execute()
}

async function ensureExternal(
  db: PlacementDb,
  table: 'projects' | 'users',
  externalId: string,
): Promise<number> {
  const find = () => db.selectFrom(table).select('id').where('external_id', '=', externalId)
  const known = await find().executeTakeFirst()
  if (known !== undefined) return known.id
  const values = { external_id: externalId, created_at: timestamp(), updated_at: null }
  await db.insertInto(table).values(values).execute()
  return (await find().executeTakeFirstOrThrow()).id
}

async function ensureType(db: PlacementDb, name: string): Promise<number> {
  const find = () => db.selectFrom('consumer_types').select('id').where('name', '=', name)
  const known = await find().executeTakeFirst()
  if (known !== undefined) return known.id
  await db.insertInto('consumer_types').values({ name, created_at: timestamp(), updated_at: null }).execute()
  return (await find().executeTakeFirstOrThrow()).id
}
