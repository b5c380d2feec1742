/**
 * Databases for tests: SQLite in memory, or with `TEST_DB=mysql` or `TEST_DB=postgresql` on a server that the first test
 * starts and that ends with the process. A database that a test is done with is emptied and given to the next.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { openDatabase } from '../../base/db/database.ts'
import { type Migration, migrate } from '../../base/db/migrate.ts'
import { waitForDatabase } from '../../base/db/wait.ts'
import { silentLogger } from '../../base/log.ts'
import { testDialect } from './dialect.ts'
import { mariadb } from './mariadb.ts'
import { postgresql } from './postgresql.ts'
import { clear, readRows } from './rows.ts'
import { type Server, startServer } from './server.ts'

export interface TestDatabase extends AsyncDisposable {
  url: string
}

/**
 * A database with these migrations applied and nothing else in it; to be disposed of after all that opened it. `shared`
 * is one that may be opened several times at once, which SQLite in memory cannot be.
 */
export async function testDatabase(
  migrations: readonly Migration[],
  { shared = false }: { shared?: boolean } = {},
): Promise<TestDatabase> {
  if (testDialect !== 'sqlite') return await lend(migrations)
  if (!shared) return { url: 'sqlite://', [Symbol.asyncDispose]: async () => undefined }
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-db-'))
  return {
    url: `sqlite:///${join(directory, 'test.sqlite')}`,
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** The same, open; it is given back when it is destroyed. */
export async function openTestDatabase<T>(migrations: readonly Migration[]): Promise<Kysely<T>> {
  const lent = await testDatabase(migrations)
  const db = openDatabase<T>(lent.url)
  const close = db.destroy.bind(db)
  db.destroy = async () => {
    await close()
    await lent[Symbol.asyncDispose]()
  }
  if (testDialect === 'sqlite') await migrate(db, migrations)
  return db
}

interface Kept {
  url: string
  /** What the migrations wrote. */
  rows: Awaited<ReturnType<typeof readRows>>
}

const free = new Map<readonly Migration[], Kept[]>()
let server: Server | undefined
let made = 0

async function lend(migrations: readonly Migration[]): Promise<TestDatabase> {
  const shelf = free.get(migrations) ?? []
  free.set(migrations, shelf)
  const database = shelf.pop() ?? (await make(migrations))
  return {
    url: database.url,
    async [Symbol.asyncDispose]() {
      await using db = openDatabase<Record<string, Record<string, unknown>>>(database.url)
      await clear(db, database.rows)
      shelf.push(database)
    },
  }
}

async function make(migrations: readonly Migration[]): Promise<Kept> {
  server ??= startServer(testDialect === 'mysql' ? mariadb : postgresql)
  const name = `test_${++made}`
  {
    await using admin = openDatabase(server.url(testDialect === 'mysql' ? 'mysql' : 'postgres'))
    await waitForDatabase(admin, silentLogger)
    await sql`create database ${sql.id(name)}`.execute(admin)
  }
  const url = server.url(name)
  await using db = openDatabase<Record<string, Record<string, unknown>>>(url)
  await migrate(db, migrations)
  return { url, rows: await readRows(db) }
}
