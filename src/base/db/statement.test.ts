import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Db, openDatabase } from './database.ts'
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

test('a statement is built once and run with other parameters, in and out of transactions', async () => {
  await using db = openDatabase<Tables>('sqlite://')
  await db.schema
    .createTable('things')
    .addColumn('id', 'text')
    .addColumn('note', 'text')
    .addColumn('size', 'integer')
    .execute()
  await insert(db, { id: 'a', note: null })
  await db.transaction().execute(async (transaction) => {
    await insert(transaction, { id: 'b', note: 'x' })
  })
  assert.equal((await rename(db, { id: 'a', note: 'new' })).changed, 1)
  assert.equal((await rename(db, { id: 'c', note: 'new' })).changed, 0)
  const found = await Promise.all(['a', 'b', 'c'].map(async (id) => (await find(db, { id })).rows[0]?.note))
  assert.deepEqual(found, ['new', 'x', undefined])
})
