import type { Migration } from '../../../base/db/migrate.ts'
import { addTurns } from '../../../base/db/turns.ts'
import { addFlows } from '../../../base/flow/store.ts'
import { apiInitial } from './api-001-initial.ts'
import { apiPinnedZones } from './api-002-pinned-zones.ts'
import { apiUsageIndex } from './api-003-usage-index.ts'
import { cellInitial } from './cell-001-initial.ts'
import { cellShadowTables } from './cell-002-shadow-tables.ts'
import { cellRevisions } from './cell-003-revisions.ts'
import { cellListIndex } from './cell-004-list-index.ts'

/** The history of nova_api. */
export const apiMigrations: readonly Migration[] = [
  apiInitial,
  addFlows,
  apiPinnedZones,
  addTurns,
  apiUsageIndex,
]

/** The history of a cell's database, cell0's too. */
export const cellMigrations: readonly Migration[] = [
  cellInitial,
  cellShadowTables,
  cellRevisions,
  cellListIndex,
]
