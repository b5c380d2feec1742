import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { testDialect } from '../../testing/databases/dialect.ts'
import { mariadb } from '../../testing/databases/mariadb.ts'
import { postgresql } from '../../testing/databases/postgresql.ts'
import { type ServerKind, startServer } from '../../testing/databases/server.ts'
import { sleep } from '../clock.ts'
import { isFault } from '../errors.ts'
import { silentLogger } from '../log.ts'
import { Connections, type RawConnection } from './connections.ts'
import { openDatabase } from './database.ts'
import { failureOf } from './failures.ts'
import { type DatabaseSettings, defaultDatabaseSettings } from './options.ts'
import { parseDatabaseUrl, type ServerUrl } from './url.ts'
import { waitForDatabase } from './wait.ts'

/** Connections to a server that lets so many be open at a time. */
function scripted(settings: Partial<DatabaseSettings>, server = { room: 100 }) {
  const opened: RawConnection[] = []
  const url = parseDatabaseUrl('mysql+pymysql://nova:nova@controller/nova') as ServerUrl
  const connections = new Connections({
    url,
    settings: { ...defaultDatabaseSettings, ...settings },
    async connect(onLost) {
      if (server.room === 0) throw Object.assign(new Error('Too many connections'), { errno: 1040 })
      server.room -= 1
      const connection: RawConnection = {
        run: async () => ({ rows: [] }),
        async end() {
          server.room += 1
        },
        cut: onLost,
      }
      opened.push(connection)
      return connection
    },
  })
  return { connections, opened }
}

test('who comes when all that are kept are in use gets the first that is given back', async () => {
  const { connections, opened } = scripted({ maxPoolSize: 2 })
  const [first] = await Promise.all([connections.take(), connections.take()])
  const third = connections.take()
  connections.giveBack(first)
  assert.equal(await third, first)
  assert.equal(opened.length, 2)
})

test('another is opened when none comes free, up to the limit', async () => {
  const { connections, opened } = scripted({ maxPoolSize: 2, maxOverflow: 2 })
  const held = await Promise.all(Array.from({ length: 4 }, () => connections.take()))
  assert.equal(new Set(held).size, 4)
  const fifth = connections.take()
  await sleep(60)
  assert.equal(opened.length, 4)
  connections.giveBack(held[0]!)
  assert.equal(await fifth, held[0])
})

test('one that is lost is not given to anybody, and makes room for another', async () => {
  const { connections, opened } = scripted({ maxPoolSize: 1, maxOverflow: 0 })
  const first = await connections.take()
  connections.giveBack(first)
  first.cut()
  const second = await connections.take()
  assert.notEqual(second, first)
  second.cut()
  connections.giveBack(second)
  await connections.take()
  assert.equal(opened.length, 3)
})

test('a server without a connection to spare is asked again; what comes free here serves meanwhile', async () => {
  const server = { room: 1 }
  const { connections } = scripted({ maxPoolSize: 5 }, server)
  const first = await connections.take()
  const [second, third] = [connections.take(), connections.take()]
  await sleep(30)
  connections.giveBack(first)
  assert.equal(await second, first)
  server.room = 1
  assert.notEqual(await third, first)
})

test('after pool_timeout it is said what is used up', async () => {
  const full = (words: RegExp) => (error: unknown) => failureOf(error) === 'full' && words.test(String(error))
  const own = scripted({ maxPoolSize: 1, maxOverflow: 0, poolTimeout: 1 }).connections
  await own.take()
  await assert.rejects(
    own.take(),
    full(/All 1 connections of this process to MariaDB at controller.*max_over/),
  )
  const none = scripted({ poolTimeout: 1 }, { room: 0 }).connections
  await assert.rejects(none.take(), full(/Too many connections/))
})

test('closing ends what is open and whoever waits', async () => {
  const server = { room: 2 }
  const { connections } = scripted({ maxPoolSize: 2, maxOverflow: 0 }, server)
  const [first, second] = await Promise.all([connections.take(), connections.take()])
  const waiting = assert.rejects(connections.take(), (error) => isFault(error, 'unavailable'))
  const closing = connections.close()
  for (const connection of [first, second]) connections.giveBack(connection)
  await Promise.all([closing, waiting])
  assert.equal(server.room, 2)
  await assert.rejects(connections.take(), /closed/)
})

/** The fewest that MariaDB can be told. */
const few = 10
const kinds: Partial<Record<typeof testDialect, ServerKind>> = {
  mysql: { ...mariadb, serve: (...args) => [...mariadb.serve(...args), `--max-connections=${few}`] },
  postgresql: {
    ...postgresql,
    serve: (...args) => [...postgresql.serve(...args), '-c', `max_connections=${few}`],
  },
}
const kind = kinds[testDialect]
const skip = kind === undefined ? 'SQLite is no server' : false

test('many processes on a server with few connections all get their answers', { skip }, async () => {
  const server = startServer(kind!)
  try {
    const url = server.url(testDialect === 'mysql' ? 'mysql' : 'postgres')
    const open = () => openDatabase(url, { maxPoolSize: 2, poolTimeout: 60 })
    const processes = Array.from({ length: 4 }, open)
    await waitForDatabase(processes[0]!, silentLogger)
    const slow = testDialect === 'mysql' ? sql`select sleep(0.05)` : sql`select pg_sleep(0.05)`
    const asked = processes.flatMap((db) => Array.from({ length: 40 }, () => slow.execute(db)))
    const outcomes = await Promise.allSettled(asked)
    assert.deepEqual(
      outcomes.filter(({ status }) => status === 'rejected'),
      [],
    )
    await Promise.all(processes.map((db) => db.destroy()))
  } finally {
    server.stop()
  }
})

test('a request that gets no connection in time is told which options say how many', { skip }, async () => {
  const server = startServer(kind!)
  try {
    const url = server.url(testDialect === 'mysql' ? 'mysql' : 'postgres')
    const holder = openDatabase(url, { maxPoolSize: 20 })
    await waitForDatabase(holder, silentLogger)
    const long = testDialect === 'mysql' ? sql`select sleep(2)` : sql`select pg_sleep(2)`
    const held = Promise.allSettled(Array.from({ length: 20 }, () => long.execute(holder)))
    await sleep(500)
    await using other = openDatabase(url, { poolTimeout: 1 })
    await assert.rejects(sql`select 1`.execute(other), (error) => {
      assert.ok(isFault(error, 'unavailable'), String(error))
      assert.match(error.message, /max_connections.*max_pool_size.*max_overflow/)
      return true
    })
    await held
    await holder.destroy()
    await sql`select 1`.execute(other)
  } finally {
    server.stop()
  }
})
