/** Opens the databases of a service. Dialect differences live in this folder and nowhere else. */
import { Kysely, type Transaction } from 'kysely'
import { Fault } from '../errors.ts'
import { sqliteDialect } from './sqlite.ts'
import { parseDatabaseUrl } from './url.ts'

/** A database or a transaction in it: what store functions take first. */
export type Db<T> = Kysely<T> | Transaction<T>

/** Opens the database that a SQLAlchemy URL names; a SQLite file is made (0600) when it is not there. */
export function openDatabase<T>(url: string): Kysely<T> {
  const parsed = parseDatabaseUrl(url)
  if (parsed.dialect !== 'sqlite') {
    throw new Fault(
      'invalid',
      `The database URL ${parsed.masked} names ${parsed.dialect}; this version opens sqlite:// only.`,
    )
  }
  return new Kysely<T>({ dialect: sqliteDialect(parsed.path) })
}

/** True when an insert or update was refused because another row has that key. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed/.test(error.message)
}
