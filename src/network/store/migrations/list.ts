import type { Migration } from '../../../base/db/migrate.ts'
import { createInitialTables } from './001-initial.ts'
import { createAgentChanges } from './002-agent-changes.ts'
import { holdComputeEvents } from './003-held-events.ts'
import { keepNumaPolicies } from './004-port-numa-policy.ts'

/** Oldest first. */
export const networkMigrations: readonly Migration[] = [
  { name: '001-initial', up: createInitialTables },
  { name: '002-agent-changes', up: createAgentChanges },
  { name: '003-held-events', up: holdComputeEvents },
  { name: '004-port-numa-policy', up: keepNumaPolicies },
]
