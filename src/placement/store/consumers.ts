import { expressionBuilder, sql } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import { errorCodes } from '../error-codes.ts'
import type { PlacementDb, Tables } from './tables.ts'

/** How a consumer without a type is shown. */
export const unknownConsumerType = 'unknown'

export interface Consumer {
  id: number
  uuid: string
  generation: number
  typeId: number | null
}

const findByUuid = statement((db: PlacementDb, p: { uuid: string }) =>
  db
    .selectFrom('consumers')
    .select(['id', 'uuid', 'generation', 'consumer_type_id as typeId'])
    .where('uuid', '=', p.uuid),
)

/** By uuid, those of the given that exist. */
export async function findConsumers(
  db: PlacementDb,
  uuids: readonly string[],
): Promise<Map<string, Consumer>> {
  const found = new Map<string, Consumer>()
  for (const uuid of uuids) for (const row of (await findByUuid(db, { uuid })).rows) found.set(uuid, row)
  return found
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
  if (!(await insertWithKnown(db, uuid, values))) throw anotherWasFirst({ retry: true })
}

interface NewConsumer {
  uuid: string
  projectId: string
  userId: string
  now: string
}

const columns = ['uuid', 'created_at', 'project_id', 'user_id', 'generation', 'consumer_type_id'] as const

const isNew = (db: PlacementDb, uuid: string) =>
  expressionBuilder<Tables>().not((eb) =>
    eb.exists(db.selectFrom('consumers as known').select('known.id').where('known.uuid', '=', uuid)),
  )

const insertTyped = statement((db: PlacementDb, p: NewConsumer & { type: string }) =>
  db
    .insertInto('consumers')
    .columns(columns)
    .expression(
      db
        .selectFrom(['projects', 'users', 'consumer_types as t'])
        .select((eb) => [eb.val(p.uuid).as('uuid'), eb.val(p.now).as('now')])
        .select([
          'projects.id as project',
          'users.id as user',
          sql<number>`1`.as('generation'),
          't.id as type',
        ])
        .where('projects.external_id', '=', p.projectId)
        .where('users.external_id', '=', p.userId)
        .where('t.name', '=', p.type)
        .where(isNew(db, p.uuid)),
    ),
)

const insertUntyped = statement((db: PlacementDb, p: NewConsumer) =>
  db
    .insertInto('consumers')
    .columns(columns)
    .expression(
      db
        .selectFrom(['projects', 'users'])
        .select((eb) => [eb.val(p.uuid).as('uuid'), eb.val(p.now).as('now')])
        .select(['projects.id as project', 'users.id as user', sql<number>`1`.as('generation')])
        .select(sql<null>`NULL`.as('type'))
        .where('projects.external_id', '=', p.projectId)
        .where('users.external_id', '=', p.userId)
        .where(isNew(db, p.uuid)),
    ),
)

/**
 * Adds a consumer in one statement; false, and nothing done, where it is there already, or its project, user or type were
 * not seen before.
 */
export async function insertWithKnown(
  db: PlacementDb,
  uuid: string,
  values: ConsumerValues,
): Promise<boolean> {
  const { projectId, userId, type } = values
  const consumer = { uuid, projectId, userId, now: timestamp() }
  const { changed } =
    type === undefined ? await insertUntyped(db, consumer) : await insertTyped(db, { ...consumer, type })
  return changed === 1
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
  if (result.numUpdatedRows !== 1n) throw anotherWasFirst()
}

/** `retry`: the whole write is to be done again with what the other wrote. */
const anotherWasFirst = (details: { retry?: true } = {}): Fault =>
  new Fault(
    'conflict',
    'Inventory and/or allocations changed while attempting to allocate: the consumer was updated by another thread. Please retry your update',
    { code: errorCodes.concurrentUpdate, ...details },
  )

const removeByUuid = statement((db: PlacementDb, p: { uuid: string }) =>
  db.deleteFrom('consumers').where('uuid', '=', p.uuid),
)

/** Removes the record of a consumer, in whatever state, and keeps others from writing it until the transaction ends. */
export async function deleteConsumer(db: PlacementDb, uuid: string): Promise<void> {
  await removeByUuid(db, { uuid })
}

const removeUnchanged = statement((db: PlacementDb, p: { id: number; generation: number }) =>
  db.deleteFrom('consumers').where('id', '=', p.id).where('generation', '=', p.generation),
)

/** Removes the record of a consumer that has no allocations any more; a conflict when another was first. */
export async function deleteUnchangedConsumer(db: PlacementDb, consumer: Consumer): Promise<void> {
  const { changed } = await removeUnchanged(db, consumer)
  if (changed !== 1) throw anotherWasFirst()
}

const externals = { projects: externalsIn('projects'), users: externalsIn('users') }

function externalsIn(table: 'projects' | 'users') {
  const find = statement((db: PlacementDb, p: { id: string }) =>
    db.selectFrom(table).select('id').where('external_id', '=', p.id),
  )
  const insert = statement((db: PlacementDb, p: { id: string; now: string }) =>
    db.insertInto(table).values({ external_id: p.id, created_at: p.now, updated_at: null }),
  )
  return { find, insert }
}

async function ensureExternal(
  db: PlacementDb,
  table: 'projects' | 'users',
  externalId: string,
): Promise<number> {
  const { find, insert } = externals[table]
  const [known] = (await find(db, { id: externalId })).rows
  if (known !== undefined) return known.id
  await insert(db, { id: externalId, now: timestamp() })
  return (await find(db, { id: externalId })).rows[0]!.id
}

const findType = statement((db: PlacementDb, p: { name: string }) =>
  db.selectFrom('consumer_types').select('id').where('name', '=', p.name),
)

async function ensureType(db: PlacementDb, name: string): Promise<number> {
  const [known] = (await findType(db, { name })).rows
  if (known !== undefined) return known.id
  await db.insertInto('consumer_types').values({ name, created_at: timestamp(), updated_at: null }).execute()
  return (await findType(db, { name })).rows[0]!.id
}
