/** Keeps the log of changes short. */
import type { Kysely } from 'kysely'
import type { Task } from '../../base/task/task.ts'
import { pruneChanges } from '../store/agent-changes.ts'
import type { Tables } from '../store/tables.ts'

export const pruneLog = (db: Kysely<Tables>): Task => ({
  name: 'prune-agent-changes',
  everySeconds: 120,
  run: () => pruneChanges(db),
})
