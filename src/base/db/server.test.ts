/** What only a server does: it ends connections, gives transactions up, and lets many write at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { testDialect } from '../../testing/databases/dialect.ts'
import { openTestDatabase } from '../../testing/databases/test-database.ts'
import { isFault } from '../errors.ts'
import { addColumns } from './columns.ts'
import { failureOf } from './failures.ts'
import { type Migration, migrate } from './migrate.ts'
import { inTransaction } from './transaction.ts'
import { addTurns, type TurnTables, takeTurn } from './turns.ts'

interface Tables extends TurnTables {
  things: { id: string; size: number; note: string | null }
}

const migrations: Migration[] = [
  {
    name: '001-things',
    up: async (db) => {
      const table = db.schema.createTable('things').addColumn('id', 'varchar(36)', (id) => id.primaryKey())
      await addColumns(table, { size: 'int', note: 'name?' }).execute()
    },
  },
  addTurns,
]

const open = () => openTestDatabase<Tables>(migrations)
const skip = testDialect === 'sqlite' ? 'SQLite is no server' : false
const thing = (id: string) => ({ id, size: 0, note: null })

/** Has the server end a connection, as when it is restarted. */
async function killConnection(db: Kysely<Tables>, id: number): Promise<void> {
  if (testDialect === 'mysql') await sql`kill connection ${sql.lit(id)}`.execute(db)
  else await sql`select pg_terminate_backend(${id})`.execute(db)
}

const ownId = async (db: Kysely<Tables>): Promise<number> => {
  const id = testDialect === 'mysql' ? sql`connection_id()` : sql`pg_backend_pid()`
  return Number((await sql<{ id: number }>`select ${id} as id`.execute(db)).rows[0]!.id)
}

test('a transaction whose connection is lost before it commits is run again, whole', { skip }, async () => {
  await using db = await open()
  const attempts: number[] = []
  await inTransaction(db, async (transaction) => {
    await transaction.insertInto('things').values(thing('a')).execute()
    attempts.push(await ownId(transaction))
    if (attempts.length === 1) await killConnection(db, attempts[0]!)
    await transaction.updateTable('things').set({ size: attempts.length }).where('id', '=', 'a').execute()
  })
  assert.equal(attempts.length, 2)
  assert.deepEqual(await db.selectFrom('things').selectAll().execute(), [{ id: 'a', size: 2, note: null }])
})

test('a read goes on after all connections were ended while nobody used them', { skip }, async () => {
  await using db = await open()
  const ids = await Promise.all(Array.from({ length: 4 }, () => ownId(db)))
  await db.connection().execute(async (mine) => {
    const own = await ownId(mine)
    for (const id of new Set(ids)) if (id !== own) await killConnection(mine, id)
    await killConnection(mine, own).catch((error: unknown) => assert.ok(isFault(error, 'unavailable')))
  })
  assert.deepEqual(await db.selectFrom('things').selectAll().execute(), [])
})

test('two transactions that lock the same rows crosswise both come through', { skip }, async () => {
  await using db = await open()
  await db
    .insertInto('things')
    .values([thing('a'), thing('b')])
    .execute()
  const bothHaveOne = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const cross = (mine: string, theirs: string, index: 0 | 1) =>
    inTransaction(db, async (transaction) => {
      const raise = (id: string) =>
        transaction
          .updateTable('things')
          .set((eb) => ({ size: eb('size', '+', 1) }))
          .where('id', '=', id)
          .execute()
      await raise(mine)
      bothHaveOne[index]!.resolve()
      await Promise.all(bothHaveOne.map(({ promise }) => promise))
      await raise(theirs)
    })
  await Promise.all([cross('a', 'b', 0), cross('b', 'a', 1)])
  const sizes = (await db.selectFrom('things').select('size').execute()).map((row) => row.size)
  assert.deepEqual(sizes, [2, 2])
})

test('who counts in turn never adds more than there may be', async () => {
  await using db = await open()
  const add = (id: string) =>
    inTransaction(db, async (transaction) => {
      await takeTurn(transaction, 'things')
      const { count } = await transaction
        .selectFrom('things')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      if (count < 5) await transaction.insertInto('things').values(thing(id)).execute()
    })
  await Promise.all(Array.from({ length: 20 }, (_, index) => add(`t${index}`)))
  assert.equal((await db.selectFrom('things').select('id').execute()).length, 5)
})

test('a value that no column holds is the fault of who gave it', { skip }, async () => {
  await using db = await open()
  for (const values of [{ ...thing('x'.repeat(37)) }, { ...thing('a'), size: 1e30 }]) {
    await assert.rejects(db.insertInto('things').values(values).execute(), (error) => {
      assert.ok(isFault(error, 'invalid'), String(error))
      assert.equal(failureOf(error), 'value')
      return true
    })
  }
})

test('texts compare by their code points, with their case and the blanks at their end', async () => {
  await using db = await open()
  const ids = ['a', 'A', 'a ', 'ä', 'Z', '_', '😀', 'B']
  for (const id of ids) await db.insertInto('things').values(thing(id)).execute()
  const found = async (id: string) =>
    (await db.selectFrom('things').select('id').where('id', '=', id).execute()).map((row) => row.id)
  for (const id of ids) assert.deepEqual(await found(id), [id])
  const order = (await db.selectFrom('things').select('id').orderBy('id').execute()).map((row) => row.id)
  assert.deepEqual(order, ['A', 'B', 'Z', '_', 'a', 'a ', 'ä', '😀'])
})

test('values come back as they went in: numbers as numbers, true as 1, long texts whole', async () => {
  await using db = await open()
  const note = `\\'"%_\n${'é'.repeat(100)}`
  const size = 9_007_199_254_740_991
  await db.insertInto('things').values({ id: 'a', size, note }).execute()
  await db
    .insertInto('things')
    .values({ id: 'b', size: true as unknown as number, note: undefined as never })
    .execute()
  const rows = await db.selectFrom('things').selectAll().orderBy('id').execute()
  assert.deepEqual(rows, [
    { id: 'a', size, note },
    { id: 'b', size: 1, note: null },
  ])
  const { total } = await db
    .selectFrom('things')
    .select((eb) => eb.fn.sum<number>('size').as('total'))
    .where('id', '=', 'b')
    .executeTakeFirstOrThrow()
  assert.equal(total, 1)
})

test('processes that migrate at once do not meet', async () => {
  await using db = await openTestDatabase<Tables>([])
  const done = await Promise.all([1, 2, 3].map(() => migrate(db, migrations)))
  assert.deepEqual(done.flat().toSorted(), ['001-things', 'turns-001-initial'])
})

test('a migration that was killed half-way begins again', { skip }, async () => {
  await using db = await open()
  let isKilled = true
  const halves: Migration = {
    name: '002-halves',
    up: async (own) => {
      const table = own.schema.createTable('halves')
      await addColumns(table, { id: 'uuid' }).execute()
      await own.schema.alterTable('halves').addColumn('size', 'integer').execute()
      await own.schema.createIndex('halves_idx').on('halves').columns(['size']).execute()
      if (isKilled) throw new Error('killed')
    },
  }
  await assert.rejects(migrate(db, [...migrations, halves]), /killed/)
  isKilled = false
  await migrate(db, [...migrations, halves])
  const { rows } = await sql`select size from halves`.execute(db)
  assert.deepEqual(rows, [])
  await db.schema.dropTable('halves').execute()
})
