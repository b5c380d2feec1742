/** What all resources have in common: timestamps and a revision that every change raises. */
import { sql } from 'kysely'
import { showSeconds } from '../../base/clock.ts'
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

/** Raises the revision of a row that changed, or whose parts did. */
export async function touch(work: Work, table: keyof Tables, id: string): Promise<void> {
  await sql`update ${sql.table(table)} set revision_number = revision_number + 1, updated_at = ${work.now} where id = ${id}`.execute(
    work.db,
  )
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
