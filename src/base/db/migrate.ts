import { type Kysely, sql, type Transaction } from 'kysely'
import { Fault } from '../errors.ts'

/** One step of a database's history. Linear, idempotent, never edited after a release. */
export interface Migration {
  /** `001-initial`: sorts in the order of the list. */
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows tables that no longer, or do not yet, exist in the types.
  up(db: Kysely<any>): Promise<void>
}

/**
 * Brings a database to the newest migration; returns the names of those it applied. Processes that start at once do
 * not meet: each migration is made by one of them, while the others wait.
 */
export async function migrate<T>(db: Kysely<T>, migrations: readonly Migration[]): Promise<string[]> {
  const applied = await alone(db, knownOf)
  const done: string[] = []
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue
    const isMine = await alone(db, (transaction) => apply(transaction, migration))
    if (isMine) done.push(migration.name)
  }
  return done
}

/** The name of the newest of these migrations that was applied; undefined when none was. */
export async function newestApplied<T>(
  db: Kysely<T>,
  migrations: readonly Migration[],
): Promise<string | undefined> {
  const applied = await appliedMigrations(db)
  if (applied === undefined) return undefined
  return migrations.findLast(({ name }) => applied.has(name))?.name
}

async function apply<T>(db: Transaction<T>, { name, up }: Migration): Promise<boolean> {
  if ((await appliedTo(db)).has(name)) return false
  await up(db)
  await note(db, name)
  return true
}

async function note<T>(db: Transaction<T>, name: string): Promise<void> {
  const now = new Date().toISOString()
  await sql`INSERT INTO alembic_version (version_num, applied_at) VALUES (${name}, ${now})`.execute(db)
}

/**
 * Has the database say that it is at one of these migrations, or at none when `name` is undefined, and changes nothing
 * else of it: for one whose tables were brought there by other means.
 */
export async function stamp<T>(
  db: Kysely<T>,
  migrations: readonly Migration[],
  name: string | undefined,
): Promise<void> {
  const last = migrations.findIndex((migration) => migration.name === name)
  if (name !== undefined && last === -1) throw new Fault('invalid', `There is no version ${name}.`)
  await alone(db, async (transaction) => {
    const applied = await knownOf(transaction)
    for (const [at, migration] of migrations.entries()) {
      if (at <= last && !applied.has(migration.name)) await note(transaction, migration.name)
      if (at > last)
        await sql`DELETE FROM alembic_version WHERE version_num = ${migration.name}`.execute(transaction)
    }
  })
}

/** The names of what was applied; makes the table of them where there is none. */
async function knownOf<T>(db: Transaction<T>): Promise<Set<string>> {
  const known = await appliedMigrations(db)
  if (known !== undefined) return known
  await sql`CREATE TABLE alembic_version (version_num varchar(255) PRIMARY KEY, applied_at varchar(32))`.execute(
    db,
  )
  return new Set()
}

/**
 * The names of the migrations that a database has had, undefined when it has no table of them. The table has the name
 * that OpenStack's databases have for it, so that neither takes the other's for an empty one: throws an `invalid` for one
 * that was made by the original.
 */
export async function appliedMigrations<T>(db: Kysely<T>): Promise<Set<string> | undefined> {
  const tables = await db.introspection.getTables()
  const table = tables.find(({ name }) => name === 'alembic_version')
  if (table === undefined) return undefined
  if (table.columns.some(({ name }) => name === 'applied_at')) return await appliedTo(db)
  throw new Fault(
    'invalid',
    'The tables of this database were made by another program than Kilonova. Give Kilonova an empty database of its own.',
  )
}

async function appliedTo<T>(db: Kysely<T>): Promise<Set<string>> {
  const { rows } = await sql<{ version_num: string }>`SELECT version_num FROM alembic_version`.execute(db)
  return new Set(rows.map((row) => row.version_num))
}

/** Runs `work` in a transaction while no other process migrates this database. */
async function alone<T, R>(db: Kysely<T>, work: (transaction: Transaction<T>) => Promise<R>): Promise<R> {
  return await db.connection().execute(async (connection) => {
    const { adapter } = connection.getExecutor()
    await adapter.acquireMigrationLock(connection, lockOptions)
    try {
      return await connection.transaction().execute(work)
    } finally {
      await adapter.releaseMigrationLock(connection, lockOptions)
    }
  })
}

// None of the three dialects locks a table of its own for this, as Kysely's others do.
const lockOptions = { lockTable: '', lockRowId: '' }
