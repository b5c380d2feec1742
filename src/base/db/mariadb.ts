/** MariaDB, from 10.5 on, by mysql2 under Kysely's compiler for MySQL. */
import {
  type Dialect,
  type Kysely,
  type MigrationLockOptions,
  MysqlAdapter,
  MysqlIntrospector,
  type QueryResult,
  sql,
} from 'kysely'
import type { Connection, ConnectionOptions, QueryError, QueryResult as RawResult } from 'mysql2'
import { Connections, type RawConnection } from './connections.ts'
import type { DirectAdapter, DirectDatabase } from './direct.ts'
import { MariadbQueryCompiler } from './mariadb-compiler.ts'
import type { DatabaseSettings } from './options.ts'
import type { Reach } from './reach.ts'
import { ServerDriver } from './server-driver.ts'
import { tlsOf } from './tls.ts'
import type { ServerUrl } from './url.ts'

export function mariadbDialect(url: ServerUrl, settings: DatabaseSettings, reach?: Reach): Dialect {
  const connect = (onLost: () => void) => connectTo(optionsOf(url, settings), onLost)
  const connections = new Connections({ url, settings, connect })
  const driver = new ServerDriver({ connections, url, settings, reach })
  return {
    createDriver: () => driver,
    createQueryCompiler: () => new MariadbQueryCompiler(),
    createAdapter: () => new MariadbAdapter(settings, driver),
    createIntrospector: (db) => new MysqlIntrospector(db),
  }
}

function optionsOf(url: ServerUrl, settings: DatabaseSettings): ConnectionOptions {
  const tls = tlsOf(url)
  return {
    ...(url.socket === undefined ? { host: url.host, port: url.port } : { socketPath: url.socket }),
    ...(tls === undefined ? {} : { ssl: tls }),
    user: url.user,
    password: url.password,
    database: url.database,
    charset: 'utf8mb4',
    connectTimeout: settings.poolTimeout * 1000,
    // Sums are DECIMAL.
    decimalNumbers: true,
  }
}

const setUp = [
  // As in PostgreSQL each statement sees what is committed by then, and no gaps between rows are locked.
  'set session transaction isolation level read committed',
  // Whatever the server's default: mysql2 escapes with backslashes, and a value that is too long is an error.
  "set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'",
]

async function connectTo(options: ConnectionOptions, onLost: () => void): Promise<RawConnection> {
  const { createConnection } = await import('mysql2')
  const inner = createConnection(options)
  const connection = new MariadbConnection(inner, onLost)
  try {
    await new Promise<void>((resolve, reject) => {
      inner.once('connect', () => resolve())
      inner.once('error', reject)
    })
    for (const statement of setUp) await connection.run(statement, [])
  } catch (error) {
    connection.cut()
    throw error
  }
  return connection
}

class MariadbConnection implements RawConnection {
  readonly #inner: Connection
  readonly #onLost: () => void

  constructor(inner: Connection, onLost: () => void) {
    this.#inner = inner
    this.#onLost = onLost
    inner.on('error', onLost)
    inner.on('end', onLost)
  }

  run<R>(text: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    return new Promise((resolve, reject) => {
      this.#inner.query(text, parameters as unknown[], (error: QueryError | null, result: RawResult) => {
        if (error === null) {
          resolve(resultOf(result))
          return
        }
        // Said to the statement alone, when there is one.
        if (error.fatal === true) this.#onLost()
        reject(error)
      })
    })
  }

  end(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inner.end((error) => (error === null || error === undefined ? resolve() : reject(error)))
    })
  }

  cut(): void {
    this.#inner.destroy()
    this.#onLost()
  }
}

function resultOf<R>(result: RawResult): QueryResult<R> {
  if (Array.isArray(result)) return { rows: result as R[] }
  const { insertId, affectedRows, changedRows } = result
  return {
    rows: [],
    numAffectedRows: BigInt(affectedRows),
    ...(changedRows === undefined ? {} : { numChangedRows: BigInt(changedRows) }),
    ...(insertId === 0 ? {} : { insertId: BigInt(insertId) }),
  }
}

class MariadbAdapter extends MysqlAdapter implements DirectAdapter {
  readonly settings: DatabaseSettings
  readonly database: DirectDatabase

  constructor(settings: DatabaseSettings, database: DirectDatabase) {
    super()
    this.settings = settings
    this.database = database
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
