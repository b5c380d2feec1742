import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase, testDatabase } from '../../testing/databases/test-database.ts'
import { isFault } from '../errors.ts'
import { silentLogger } from '../log.ts'
import { isUniqueViolation, openDatabase } from './database.ts'
import { type Migration, migrate, newestApplied } from './migrate.ts'
import { parseDatabaseUrl, type ServerUrl } from './url.ts'
import { waitForDatabase } from './wait.ts'

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
  await using database = await testDatabase([], { shared: true })
  await using db = openDatabase<Tables>(database.url)
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
})

test("a database with OpenStack's own tables is left alone, with a sentence that says so", async () => {
  await using database = await testDatabase([], { shared: true })
  await using db = openDatabase<Tables>(database.url)
  await migrate(db, [])
  await db.schema.alterTable('alembic_version').dropColumn('applied_at').execute()
  await assert.rejects(
    migrate(db, migrations),
    /made by another program than Kilonova.*empty database of its own/,
  )
  await assert.rejects(newestApplied(db, migrations), (error) => isFault(error, 'invalid'))
  await db.schema.alterTable('alembic_version').addColumn('applied_at', 'varchar(32)').execute()
  assert.equal(await newestApplied(db, migrations), undefined)
})

test('two transactions at once do not see each other, and one that fails leaves nothing', async () => {
  await using db = await openTestDatabase<Tables>(migrations)
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
})

test('database URLs are read as SQLAlchemy reads them, and passwords masked', () => {
  assert.equal((parseDatabaseUrl('sqlite:////var/lib/x.db') as { path: string }).path, '/var/lib/x.db')
  assert.deepEqual(parseDatabaseUrl('mysql+pymysql://nova:s%40crt@controller/nova?charset=utf8'), {
    dialect: 'mysql',
    host: 'controller',
    port: 3306,
    user: 'nova',
    password: 's@crt',
    database: 'nova',
    query: { charset: 'utf8' },
    masked: 'mysql+pymysql://nova:***@controller/nova?charset=utf8',
  })
  assert.throws(() => parseDatabaseUrl('nonsense'), /dialect\+driver/)
})

test('database URLs may name sockets, IPv6 addresses and other drivers', () => {
  const read = (url: string) => {
    const { dialect, host, port, socket, user, database } = parseDatabaseUrl(url) as ServerUrl
    return [dialect, socket ?? host, port, user, database]
  }
  assert.deepEqual(
    [
      'mariadb+mariadbconnector://root@localhost/nova?unix_socket=/run/mysqld/mysqld.sock',
      'postgresql+psycopg2://me@/neutron?host=/var/run/postgresql&port=5433',
      'postgresql://me:p@[fd00::1]:6432/glance?sslmode=require',
      'postgres://db/keystone',
    ].map(read),
    [
      ['mysql', '/run/mysqld/mysqld.sock', 3306, 'root', 'nova'],
      ['postgresql', '/var/run/postgresql', 5433, 'me', 'neutron'],
      ['postgresql', 'fd00::1', 6432, 'me', 'glance'],
      ['postgresql', 'db', 5432, '', 'keystone'],
    ],
  )
})

test('a database URL that cannot be read is told what is wrong, without its password', () => {
  const told = (url: string) => {
    try {
      parseDatabaseUrl(url)
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }
  assert.match(told('mysql+pymysql://nova:s3/cr@t@controller'), /nova:\*\*\*@controller names no database/)
  assert.match(told('oracle://nova:secret@controller/nova'), /unknown dialect oracle/)
  assert.match(told('mysql://nova:secret@controller:port/nova'), /host or port/)
})

test('a server that cannot be reached is named with its database and the cause', async () => {
  const url = 'mysql+pymysql://nova:secret@127.0.0.1:1/nova'
  await using db = openDatabase<Tables>(url)
  await assert.rejects(db.selectFrom('things').selectAll().execute(), (error) => {
    assert.ok(isFault(error, 'unavailable'))
    assert.equal(
      error.message,
      'MariaDB at 127.0.0.1:1 cannot be reached for database nova: the connection is refused, so nothing listens there.',
    )
    return true
  })
  await using other = openDatabase<Tables>('postgresql://nova@localhost/nova?host=/nowhere', {
    maxRetries: 1,
  })
  await assert.rejects(waitForDatabase(other, silentLogger), /there is no socket \/nowhere/)
})
