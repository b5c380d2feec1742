/** Opens the databases of a service. Dialect differences live in this folder and nowhere else. */
import { Kysely, type Transaction } from 'kysely'
import { mariadbDialect } from './mariadb.ts'
import { type DatabaseSettings, defaultDatabaseSettings } from './options.ts'
import { postgresqlDialect } from './postgresql.ts'
import type { Reach } from './reach.ts'
import { sqliteDialect } from './sqlite.ts'
import { parseDatabaseUrl } from './url.ts'

export { isUniqueViolation } from './failures.ts'

/** A database or a transaction in it: what store functions take first. */
export type Db<T> = Kysely<T> | Transaction<T>

/**
 * Opens the database that a SQLAlchemy URL names: a SQLite file, which is made (0600) when it is not there, or a
 * database on a MariaDB or PostgreSQL server, which is connected to when it is first used (see `waitForDatabase`). Whether
 * the server is there is remembered in `reach`, where one is given.
 */
export function openDatabase<T>(
  url: string,
  settings: Partial<DatabaseSettings> = {},
  reach?: Reach,
): Kysely<T> {
  const parsed = parseDatabaseUrl(url)
  const all = { ...defaultDatabaseSettings, ...settings }
  switch (parsed.dialect) {
    case 'sqlite':
      return new Kysely<T>({ dialect: sqliteDialect(parsed.path) })
    case 'mysql':
      return new Kysely<T>({ dialect: mariadbDialect(parsed, all, reach) })
    case 'postgresql':
      return new Kysely<T>({ dialect: postgresqlDialect(parsed, all, reach) })
  }
}
