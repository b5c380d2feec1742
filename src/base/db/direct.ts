/**
 * A way past Kysely's machinery for statements that are built already: on their way through it they wait several times
 * for what is there, which in a database of this process takes longer than to run them.
 */
import { type CompiledQuery, SqliteAdapter } from 'kysely'
import type { Db } from './database.ts'

export interface DirectResult {
  rows: unknown[]
  /** Rows that were inserted, changed or deleted. */
  changed: number
}

/** A database that can run a statement by itself. */
export interface DirectDatabase {
  /**
   * Undefined where Kysely must see to it: while somebody else holds the only connection, or in a transaction whose
   * connection Kysely holds.
   */
  execute(
    query: CompiledQuery,
    parameters: readonly unknown[],
    inTransaction: boolean,
  ): DirectResult | Promise<DirectResult> | undefined
}

/** The adapter is what of a dialect can be reached from a database or a transaction. */
export interface DirectAdapter {
  readonly database: DirectDatabase
}

export class DirectSqliteAdapter extends SqliteAdapter implements DirectAdapter {
  readonly database: DirectDatabase

  constructor(database: DirectDatabase) {
    super()
    this.database = database
  }
}

/** Runs a statement without Kysely; undefined where that is not possible. */
export function executeDirectly<T>(
  db: Db<T>,
  query: CompiledQuery,
  parameters: readonly unknown[],
): DirectResult | Promise<DirectResult> | undefined {
  const { database } = db.getExecutor().adapter as Partial<DirectAdapter>
  return database?.execute(query, parameters, db.isTransaction)
}
