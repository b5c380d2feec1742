import { type Kysely, sql } from 'kysely'

/** One step of a database's history. Linear, idempotent, never edited after a release. */
export interface Migration {
  /** `001-initial`: sorts in the order of the list. */
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows tables that no longer, or do not yet, exist in the types.
  up(db: Kysely<any>): Promise<void>
}

/** Brings a database to the newest migration; returns the names of those it applied. */
export async function migrate<T>(db: Kysely<T>, migrations: readonly Migration[]): Promise<string[]> {
  await sql`CREATE TABLE IF NOT EXISTS kilonova_migrations (name varchar(255) PRIMARY KEY, applied_at varchar(32))`.execute(
    db,
  )
  const known = await sql<{ name: string }>`SELECT name FROM kilonova_migrations`.execute(db)
  const applied = new Set(known.rows.map((row) => row.name))
  const done: string[] = []
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue
    await db.transaction().execute(async (transaction) => {
      await migration.up(transaction)
      const now = new Date().toISOString()
      await sql`INSERT INTO kilonova_migrations (name, applied_at) VALUES (${migration.name}, ${now})`.execute(
        transaction,
      )
    })
    done.push(migration.name)
  }
  return done
}

/** The name of the last migration that was applied; undefined for a database that has none. */
export async function newestApplied<T>(db: Kysely<T>): Promise<string | undefined> {
  const tables = await db.introspection.getTables()
  if (!tables.some((table) => table.name === 'kilonova_migrations')) return undefined
  const rows = await sql<{
    name: string
  }>`SELECT name FROM kilonova_migrations ORDER BY applied_at DESC, name DESC`.execute(db)
  return rows.rows[0]?.name
}
