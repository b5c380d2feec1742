/** What all resources have in common: timestamps and a revision that every change raises. */
import { showSeconds } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import type { Work } from '../work.ts'
import type { Standard, Tables } from './tables.ts'

/** The standard columns of a new row. */
export const newStandard = (work: Work, id: string, projectId: string, description: unknown): Standard => ({
  id,
  project_id: projectId,
  description: typeof description === 'string' ? description : '',
  created_at: work.now,
  updated_at: work.now,
  revision_number: 0,
})

const raises = new Map<keyof Tables, ReturnType<typeof raiseIn>>()

// Whichever table it is, it has the standard columns.
const raiseIn = (table: keyof Tables) =>
  statement((db: Db<Tables>, p: { id: string; now: string }) =>
    db
      .updateTable(table as 'networks')
      .set((eb) => ({ revision_number: eb('revision_number', '+', 1), updated_at: p.now }))
      .where('id', '=', p.id),
  )

/** Raises the revision of a row that changed, or whose parts did. */
export async function touch(work: Work, table: keyof Tables, id: string): Promise<void> {
  let raise = raises.get(table)
  if (raise === undefined) {
    raise = raiseIn(table)
    raises.set(table, raise)
  }
  await raise(work.db, { id, now: work.now })
}

/** The attributes of the standard columns. */
export const viewStandard = (row: Standard) => ({
  project_id: row.project_id,
  tenant_id: row.project_id,
  description: row.description,
  created_at: showSeconds(row.created_at),
  updated_at: showSeconds(row.updated_at),
  revision_number: row.revision_number,
})
