import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { testDialect } from '../../testing/databases/dialect.ts'
import { testDatabase } from '../../testing/databases/test-database.ts'
import { Door, databaseDoor } from '../../testing/door.ts'
import { until } from '../../testing/until.ts'
import { isFault } from '../errors.ts'
import { silentLogger } from '../log.ts'
import { addColumns } from './columns.ts'
import { openDatabase } from './database.ts'
import { failureOf } from './failures.ts'
import type { Migration } from './migrate.ts'
import { Reach, type ReachOptions } from './reach.ts'
import { inTransaction } from './transaction.ts'

const quick = (options: Partial<ReachOptions> = {}) =>
  new Reach({ log: silentLogger, what: 'the test', pauseMilliseconds: 50, ...options })

const isUnreachable = (error: unknown) => isFault(error, 'unavailable') && failureOf(error) === 'unreachable'

test('once a server did not answer, nobody else waits for it', async () => {
  await using door = await Door.open(1)
  door.hold()
  const reach = quick({ pauseMilliseconds: 60_000 })
  const url = `mysql+pymysql://nova:nova@127.0.0.1:${door.port}/nova`
  await using db = openDatabase(url, { poolTimeout: 1 }, reach)
  const ask = () => sql`select 1`.execute(db)
  await assert.rejects(ask, isUnreachable)
  for (let count = 0; count < 50; count++) await assert.rejects(ask, isUnreachable)
  await assert.rejects(
    inTransaction(db, () => assert.fail('there is no transaction')),
    isUnreachable,
  )
  assert.equal(door.taken, 1)
})

const migrations: readonly Migration[] = [
  {
    name: '001-things',
    up: async (db) => {
      await addColumns(db.schema.createTable('things'), { id: 'int' }).execute()
    },
  },
]

const skip = testDialect === 'sqlite' ? 'SQLite is no server' : false

test('statements under way are given up when the server falls silent, and it is used again when it speaks', {
  skip,
}, async () => {
  await using lent = await testDatabase(migrations)
  const { door, url } = await databaseDoor(lent.url)
  await using _ = door
  const reach = quick({ suspectMilliseconds: 200, probeMilliseconds: 200 })
  await using db = openDatabase(url, { poolTimeout: 1, maxPoolSize: 2, maxOverflow: 0 }, reach)
  const insert = sql`insert into things values (1)`
  await assert.rejects(
    inTransaction(db, async (transaction) => {
      await insert.execute(transaction)
      door.hold()
      await insert.execute(transaction)
    }),
    isUnreachable,
  )
  await assert.rejects(insert.execute(db), isUnreachable)
  door.letGo()
  const count = async () => {
    const { rows } = await sql<{ n: number }>`select count(*) as n from things`.execute(db)
    return Number(rows[0]!.n)
  }
  await until(
    () =>
      count().then(
        () => true,
        () => undefined,
      ),
    'the server to be there again',
  )
  assert.equal(await count(), 0, 'the transaction that nobody waited for was rolled back')
  // Both connections of the pool are of use again.
  await Promise.all([count(), count(), count()])
})

test('a statement that takes long is waited for while the server answers others', { skip }, async () => {
  await using lent = await testDatabase(migrations)
  const { door, url } = await databaseDoor(lent.url)
  await using _ = door
  await using db = openDatabase(url, {}, quick({ suspectMilliseconds: 100 }))
  const slow = testDialect === 'mysql' ? sql`select sleep(1)` : sql`select pg_sleep(1)`
  await slow.execute(db)
})
