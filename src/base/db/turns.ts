/**
 * Turns: how transactions that count rows before they add one, for quotas, are kept from counting at once where others
 * write at the same time. A turn ends with the transaction.
 */
import { addColumns } from './columns.ts'
import type { Db } from './database.ts'
import type { Migration } from './migrate.ts'
import { statement } from './statement.ts'

/** What the tables of a database with turns must include. */
export interface TurnTables {
  turns: { name: string; turn: number }
}

export const addTurns: Migration = {
  name: 'turns-001-initial',
  async up(db) {
    const table = db.schema
      .createTable('turns')
      .addColumn('name', 'varchar(255)', (name) => name.primaryKey())
    await addColumns(table, { turn: 'big' }).execute()
  },
}

const raise = statement((db: Db<TurnTables>, p: { name: string }) =>
  db
    .updateTable('turns')
    .set((eb) => ({ turn: eb('turn', '+', 1) }))
    .where('name', '=', p.name),
)

/** Waits, in a transaction, until no other is under way that took the turn of that name. */
export async function takeTurn<T extends TurnTables>(transaction: Db<T>, name: string): Promise<void> {
  if (isOneWriter(transaction)) return
  // Kysely cannot see that a database with more tables has this one as well.
  const db = transaction as unknown as Db<TurnTables>
  if ((await raise(db, { name })).changed > 0) return
  await db
    .insertInto('turns')
    .values({ name, turn: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await raise(db, { name })
}

/** True where a transaction has the whole database to itself, as in SQLite: it need not lock rows. */
export const isOneWriter = <T>(db: Db<T>): boolean =>
  db.getExecutor().adapter.supportsMultipleConnections === false
