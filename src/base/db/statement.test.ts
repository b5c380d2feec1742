import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase } from '../../testing/databases/test-database.ts'
import { addColumns } from './columns.ts'
import type { Db } from './database.ts'
import type { Migration } from './migrate.ts'
import { statement } from './statement.ts'

interface Tables {
  things: { id: string; note: string | null; size: number }
}

const insert = statement((db: Db<Tables>, p: { id: string; note: string | null }) =>
  db.insertInto('things').values({ id: p.id, note: p.note, size: 1 }),
)
const find = statement((db: Db<Tables>, p: { id: string }) =>
  db.selectFrom('things').selectAll().where('id', '=', p.id).where('size', '=', 1).limit(1),
)
const rename = statement((db: Db<Tables>, p: { id: string; note: string | null }) =>
  db.updateTable('things').set({ note: p.note }).where('id', '=', p.id),
)

const migrations: Migration[] = [
  {
    name: '001-things',
    up: (db) =>
      addColumns(db.schema.createTable('things'), { id: 'uuid', note: 'text?', size: 'int' }).execute(),
  },
]

const openThings = () => openTestDatabase<Tables>(migrations)

test('a statement is built once and run with other parameters, in and out of transactions', async () => {
  await using db = await openThings()
  await insert(db, { id: 'a', note: null })
  await db.transaction().execute(async (transaction) => {
    await insert(transaction, { id: 'b', note: 'x' })
  })
  assert.equal((await rename(db, { id: 'a', note: 'new' })).changed, 1)
  assert.equal((await rename(db, { id: 'c', note: 'new' })).changed, 0)
  const found = await Promise.all(['a', 'b', 'c'].map(async (id) => (await find(db, { id })).rows[0]?.note))
  assert.deepEqual(found, ['new', 'x', undefined])
})

test('a statement waits for the transaction that is under way, and sees all or nothing of it', async () => {
  await using db = await openThings()
  const isWritten = Promise.withResolvers<void>()
  const mayFail = Promise.withResolvers<void>()
  const failing = db.transaction().execute(async (transaction) => {
    await insert(transaction, { id: 'a', note: null })
    isWritten.resolve()
    await mayFail.promise
    throw new Error('no')
  })
  await isWritten.promise
  const found = find(db, { id: 'a' })
  mayFail.resolve()
  await assert.rejects(failing, /no/)
  assert.deepEqual((await found).rows, [])
})

test('a transaction that is over takes no more statements', async () => {
  await using db = await openThings()
  const over = await db.transaction().execute(async (transaction) => ({ transaction }))
  await assert.rejects(insert(over.transaction, { id: 'late', note: null }), /over|already committed/)
  assert.deepEqual((await find(db, { id: 'late' })).rows, [])
})

test('a column that is added later is read too', async () => {
  await using db = await openThings()
  await insert(db, { id: 'a', note: null })
  await find(db, { id: 'a' })
  await db.schema.alterTable('things').addColumn('colour', 'text').execute()
  assert.deepEqual((await find(db, { id: 'a' })).rows, [
    { id: 'a', note: null, size: 1, colour: null } as never,
  ])
})
