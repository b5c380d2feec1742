import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import type { Tables } from './tables.ts'

const raiseTurn = statement((db: Db<Tables>, p: { name: string }) =>
  db
    .updateTable('project_turns')
    .set((eb) => ({ turn: eb('turn', '+', 1) }))
    .where('project_id', '=', p.name),
)

/**
 * Waits until no other transaction is under way that took the turn of this project, or of this name that is none's: what
 * is counted from here on, nobody else changes before this transaction ends.
 */
export async function takeTurn(db: Db<Tables>, name: string): Promise<void> {
  const taken = await raiseTurn(db, { name })
  if (taken.changed === 0)
    await db.insertInto('project_turns').values({ project_id: name, turn: 1 }).execute()
}
