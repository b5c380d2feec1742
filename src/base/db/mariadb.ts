/** MariaDB, from 10.5 on, by mysql2 under Kysely's dialect for MySQL. */

import {
  CompiledQuery,
  type Dialect,
  type Kysely,
  type MigrationLockOptions,
  MysqlAdapter,
  MysqlDialect,
  MysqlIntrospector,
  type MysqlPool,
  sql,
} from 'kysely'
import type { Pool, PoolConnection } from 'mysql2'
import { MariadbQueryCompiler } from './mariadb-compiler.ts'
import { type DatabaseSettings, poolLimit } from './options.ts'
import type { Reach } from './reach.ts'
import { ServerDriver } from './server-driver.ts'
import { tlsOf } from './tls.ts'
import type { ServerUrl } from './url.ts'

export function mariadbDialect(url: ServerUrl, settings: DatabaseSettings, reach?: Reach): Dialect {
  const inner = new MysqlDialect({
    pool: () => openPool(url, settings),
    async onCreateConnection(connection) {
      // As in PostgreSQL each statement sees what is committed by then, and no gaps between rows are locked.
      await connection.executeQuery(
        CompiledQuery.raw('set session transaction isolation level read committed'),
      )
      // Whatever the server's default: mysql2 escapes with backslashes, and a value that is too long is an error.
      await connection.executeQuery(
        CompiledQuery.raw("set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'"),
      )
    },
  })
  return {
    createDriver: () => new ServerDriver({ inner: inner.createDriver(), url, settings, reach }),
    createQueryCompiler: () => new MariadbQueryCompiler(),
    createAdapter: () => new MariadbAdapter(settings),
    createIntrospector: (db) => new MysqlIntrospector(db),
  }
}

async function openPool(url: ServerUrl, settings: DatabaseSettings): Promise<MysqlPool> {
  const { createPool } = await import('mysql2')
  const tls = tlsOf(url)
  const pool: Pool = createPool({
    ...(url.socket === undefined ? { host: url.host, port: url.port } : { socketPath: url.socket }),
    ...(tls === undefined ? {} : { ssl: tls }),
    user: url.user,
    password: url.password,
    database: url.database,
    charset: 'utf8mb4',
    connectTimeout: settings.poolTimeout * 1000,
    connectionLimit: poolLimit(settings),
    // Ended in words; the server would log one that is just cut off.
    gracefulEnd: true,
    // Sums are DECIMAL.
    decimalNumbers: true,
  })
  endIdle(pool, settings.maxPoolSize)
  if (settings.connectionRecycleTime > 0) {
    const old = new WeakSet<object>()
    pool.on('connection', (connection) => {
      setTimeout(() => old.add(connection), settings.connectionRecycleTime * 1000).unref()
    })
    pool.on('release', (connection) => {
      if (old.has(connection)) connection.destroy()
    })
  }
  return pool as unknown as MysqlPool
}

/** Connections beside those that are kept are of use again when the next wave of work comes within that time. */
const idleMilliseconds = 30_000

// mysql2's own `maxIdle` ends them each second, so that a busy process makes new ones all the time.
function endIdle(pool: Pool, kept: number): void {
  /** The one that is free for longest comes first; the pool takes the last. */
  const freeSince = new Map<PoolConnection, number>()
  pool.on('connection', (connection) => connection.once('end', () => freeSince.delete(connection)))
  pool.on('acquire', (connection) => freeSince.delete(connection))
  pool.on('release', (connection) => {
    freeSince.set(connection, Date.now())
    for (const [idle, since] of freeSince) {
      if (freeSince.size <= kept || Date.now() - since < idleMilliseconds) break
      freeSince.delete(idle)
      idle.end()
    }
  })
}

class MariadbAdapter extends MysqlAdapter {
  readonly settings: DatabaseSettings

  constructor(settings: DatabaseSettings) {
    super()
    this.settings = settings
  }

  // Of an insert and a delete; MariaDB has none for an update.
  override get supportsReturning(): boolean {
    return true
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature.
  override async acquireMigrationLock(db: Kysely<any>, _options: MigrationLockOptions): Promise<void> {
    await sql`select get_lock(${lockName}, 3600)`.execute(db)
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature.
  override async releaseMigrationLock(db: Kysely<any>, _options: MigrationLockOptions): Promise<void> {
    await sql`select release_lock(${lockName})`.execute(db)
  }
}

// Names of locks are the server's, not a database's, and at most 64 characters.
const lockName = sql<string>`concat('kilonova-', sha1(database()))`
