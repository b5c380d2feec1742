/** All that is in a database, to be put back. */
import { type Kysely, sql } from 'kysely'
import { testDialect } from './dialect.ts'

type AnyDb = Kysely<Record<string, Record<string, unknown>>>
type Rows = ReadonlyMap<string, readonly Record<string, unknown>[]>

/** The rows of every table. */
export async function readRows(db: AnyDb): Promise<Rows> {
  const tables = await db.introspection.getTables()
  const rows = new Map<string, readonly Record<string, unknown>[]>()
  for (const { name } of tables) rows.set(name, await db.selectFrom(name).selectAll().execute())
  return rows
}

/** Makes the tables hold these rows and no others, and numbers count from their end. */
export async function clear(db: AnyDb, rows: Rows): Promise<void> {
  const tables = [...rows.keys()].map(
    (name) => sql`select ${sql.lit(name)} as name, exists (select 1 from ${sql.table(name)}) as used`,
  )
  const found = await sql<{
    name: string
    used: number | boolean
  }>`${sql.join(tables, sql` union all `)}`.execute(db)
  const used = found.rows.filter((table) => table.used).map((table) => table.name)
  if (used.length > 0) await truncate(db, used)
  for (const [name, wanted] of rows) {
    if (wanted.length === 0) continue
    await db
      .insertInto(name)
      .values([...wanted])
      .execute()
    if (testDialect !== 'postgresql' || wanted[0]?.['id'] === undefined) continue
    await sql`select setval(pg_get_serial_sequence(${name}, 'id'), (select max(id) from ${sql.table(name)}))`.execute(
      db,
    )
  }
}

async function truncate(db: AnyDb, tables: readonly string[]): Promise<void> {
  if (testDialect === 'postgresql') {
    const all = sql.join(tables.map((name) => sql.table(name)))
    await sql`truncate ${all} restart identity cascade`.execute(db)
    return
  }
  await db.connection().execute(async (connection) => {
    await sql`set foreign_key_checks = 0`.execute(connection)
    for (const name of tables) await sql`truncate ${sql.table(name)}`.execute(connection)
  })
}
