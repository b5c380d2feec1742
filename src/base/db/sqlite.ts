/** Node's own SQLite under Kysely's SQLite dialect, which lets one connection serve one caller at a time. */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type SelectModifierNode,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
  type SqliteStatement,
} from 'kysely'
import { type DirectDatabase, type DirectResult, DirectSqliteAdapter } from './direct.ts'

/** Kysely builds the same few hundred texts again and again; a prepared statement is kept for this many of them. */
const keptStatements = 1000

export function sqliteDialect(path: string): Dialect {
  const file = new SqliteFile(path)
  const database = async () => file.open()
  const inner = new SqliteDialect({ database })
  return {
    createDriver: () => new WatchedDriver(file, database),
    createQueryCompiler: () => new OneWriterCompiler(),
    createAdapter: () => new DirectSqliteAdapter(file),
    createIntrospector: (db) => inner.createIntrospector(db),
  }
}

class OneWriterCompiler extends SqliteQueryCompiler {
  // A transaction holds the whole database, so that `for update` says nothing new, and SQLite has no word for it.
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier !== 'ForUpdate' && node.modifier !== 'ForShare') super.visitSelectModifier(node)
  }
}

/** An open database, its prepared statements, and whether somebody holds its connection. */
class SqliteFile implements SqliteDatabase, DirectDatabase {
  readonly #path: string
  readonly #kept = new Map<string, PreparedStatement>()
  #database: DatabaseSync | undefined
  isHeld = false

  constructor(path: string) {
    this.#path = path
  }

  open(): this {
    const path = this.#path
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const database = new DatabaseSync(path)
    if (path !== ':memory:') chmodSync(path, 0o600)
    // WAL with synchronous=NORMAL: a killed process loses nothing; a power cut may lose the last commits, never integrity.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000')
    // 16 MiB between checkpoints: a page that many commits change is written back and synchronised once.
    database.exec('PRAGMA wal_autocheckpoint = 4000')
    // As the other databases; then an index serves a beginning, too.
    database.exec('PRAGMA case_sensitive_like = ON')
    database.exec('PRAGMA foreign_keys = ON; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY')
    this.#database = database
    return this
  }

  close(): void {
    this.#kept.clear()
    this.#database?.close()
    this.#database = undefined
  }

  prepare(sql: string): PreparedStatement {
    const known = this.#kept.get(sql)
    if (known !== undefined) return known
    if (this.#database === undefined) throw new Error(`The database ${this.#path} is closed.`)
    // A deferred transaction that reads and then writes fails at once when another process wrote in between.
    const prepared = new PreparedStatement(this.#database.prepare(sql === 'begin' ? 'begin immediate' : sql))
    if (this.#kept.size >= keptStatements) this.#kept.delete(this.#kept.keys().next().value ?? '')
    this.#kept.set(sql, prepared)
    return prepared
  }

  execute(
    { sql }: CompiledQuery,
    parameters: readonly unknown[],
    inTransaction: boolean,
  ): DirectResult | undefined {
    if (this.#database === undefined || (this.isHeld && !inTransaction)) return undefined
    if (inTransaction && !this.#database.isTransaction) throw new Error('The transaction is over.')
    const prepared = this.prepare(sql)
    if (prepared.reader) return { rows: prepared.all(parameters), changed: 0 }
    return { rows: [], changed: Number(prepared.run(parameters).changes) }
  }
}

class WatchedDriver extends SqliteDriver {
  readonly #file: SqliteFile

  constructor(file: SqliteFile, database: () => Promise<SqliteDatabase>) {
    super({ database })
    this.#file = file
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    this.#file.isHeld = true
    return connection
  }

  override async releaseConnection(): Promise<void> {
    this.#file.isHeld = false
  }
}

class PreparedStatement implements SqliteStatement {
  readonly #statement: StatementSync
  #columns: readonly string[]
  readonly reader: boolean

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.#columns = this.#names()
    this.reader = this.#columns.length > 0
    // Node makes its row objects as dictionaries, which are several times slower to make, read and copy.
    if (this.reader) statement.setReturnArrays(true)
  }

  #names(): string[] {
    return this.#statement.columns().map((column) => column.name)
  }

  all(parameters: readonly unknown[]): Record<string, unknown>[] {
    const found = this.#statement.all(...parameters.map(toSqlite)) as unknown as unknown[][]
    // A column that was added since: SQLite reads the statement anew by itself.
    if (found[0] !== undefined && found[0].length !== this.#columns.length) this.#columns = this.#names()
    const columns = this.#columns
    return found.map((values) => {
      const row: Record<string, unknown> = {}
      for (let index = 0; index < columns.length; index++) row[columns[index]!] = values[index]
      return row
    })
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...parameters.map(toSqlite))
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.all(parameters)[Symbol.iterator]()
  }
}

function toSqlite(value: unknown): SQLInputValue {
  if (value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  return value as SQLInputValue
}
