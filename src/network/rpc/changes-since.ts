/** What changed for agents since one of them last asked. */
import type { Kysely } from 'kysely'
import { readChanges } from '../store/agent-changes.ts'
import type { Tables } from '../store/tables.ts'
import { Changes, parseChanges } from './changes.ts'

/**
 * All changes after a revision as one, and the revision to ask with the next time. `changes` is undefined when only a
 * whole reading will do. What is read after this call is at least as new as the revision: whatever is newer still will
 * be told again, which does no harm.
 */
export async function changesSince(
  db: Kysely<Tables>,
  since: string | null,
): Promise<{ revision: string; changes: Changes | undefined }> {
  const { revision, changes: logged } = await readChanges(db, since)
  if (logged === undefined) return { revision, changes: undefined }
  const changes = new Changes()
  for (const row of logged) changes.add(parseChanges(row.changes))
  return { revision, changes: changes.everything ? undefined : changes }
}
