import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUniqueViolation, openDatabase } from './database.ts'
import { type Migration, migrate } from './migrate.ts'
import { parseDatabaseUrl } from './url.ts'

interface Tables {
  things: { id: string; ready: number | boolean; note: string | null }
}

const migrations: Migration[] = [
  {
    name: '001-things',
    up: async (db) => {
      await db.schema
        .createTable('things')
        .addColumn('id', 'varchar(36)', (c) => c.primaryKey())
        .addColumn('ready', 'integer')
        .addColumn('note', 'text')
        .execute()
    },
  },
]

test('a migration is applied once, and a duplicate key is told apart from other errors', async () => {
  const db = openDatabase<Tables>('sqlite://')
  assert.deepEqual(await migrate(db, migrations), ['001-things'])
  assert.deepEqual(await migrate(db, migrations), [])
  await db.insertInto('things').values({ id: 'a', ready: true, note: null }).execute()
  assert.deepEqual(
    { ...(await db.selectFrom('things').selectAll().executeTakeFirst()) },
    { id: 'a', ready: 1, note: null },
  )
  await assert.rejects(
    db.insertInto('things').values({ id: 'a', ready: 0, note: null }).execute(),
    isUniqueViolation,
  )
  await db.destroy()
})

test('two transactions at once do not see each other, and one that fails leaves nothing', async () => {
  const db = openDatabase<Tables>('sqlite://')
  await migrate(db, migrations)
  const failing = db.transaction().execute(async (transaction) => {
    await transaction.insertInto('things').values({ id: 'lost', ready: 0, note: null }).execute()
    throw new Error('no')
  })
  const passing = db.insertInto('things').values({ id: 'kept', ready: 0, note: null }).execute()
  await assert.rejects(failing, /no/)
  await passing
  assert.deepEqual(
    (await db.selectFrom('things').select('id').execute()).map((row) => row.id),
    ['kept'],
  )
  await db.destroy()
})

test('database URLs are read as SQLAlchemy reads them, and passwords masked', () => {
  assert.equal((parseDatabaseUrl('sqlite:////var/lib/x.db') as { path: string }).path, '/var/lib/x.db')
  assert.deepEqual(parseDatabaseUrl('mysql+pymysql://nova:s%40crt@controller/nova'), {
    dialect: 'mysql',
    host: 'controller',
    port: 3306,
    user: 'nova',
    password: 's@crt',
    database: 'nova',
    masked: 'mysql+pymysql://nova:***@controller/nova',
  })
  assert.throws(() => parseDatabaseUrl('nonsense'), /dialect\+driver/)
})
