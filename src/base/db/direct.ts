/**
 * A way past Kysely's machinery for statements that are built already, where the database is in this process: waiting
 * for a connection that is free and handing on the result take longer there than running the statement.
 */
import { SqliteAdapter } from 'kysely'
import type { Db } from './database.ts'

export interface DirectResult {
  rows: unknown[]
  /** Rows that were inserted, changed or deleted. */
  changed: number
}

/** A database that can run a statement at once. */
export interface DirectDatabase {
  /** Undefined while somebody else holds the connection; within a transaction it is the caller's own. */
  execute(sql: string, parameters: readonly unknown[], inTransaction: boolean): DirectResult | undefined
}

/** The adapter is what of a dialect can be reached from a database or a transaction. */
export class DirectAdapter extends SqliteAdapter {
  readonly database: DirectDatabase

  constructor(database: DirectDatabase) {
    super()
    this.database = database
  }
}

/** Runs a statement at once; undefined where that is not possible. */
export function executeAtOnce<T>(
  db: Db<T>,
  sql: string,
  parameters: readonly unknown[],
): DirectResult | undefined {
  const { adapter } = db.getExecutor()
  if (!(adapter instanceof DirectAdapter)) return undefined
  return adapter.database.execute(sql, parameters, db.isTransaction)
}
