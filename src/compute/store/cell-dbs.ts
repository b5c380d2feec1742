import type { Kysely } from 'kysely'
import type { CellTables } from './cell-tables.ts'

/** A cell with its open database. */
export interface CellDb {
  /** As in `instance_mappings.cell_id`. */
  id: number
  uuid: string
  name: string
  db: Kysely<CellTables>
  /** No more servers are scheduled to it. */
  disabled?: boolean
}

/** All cells, cell0 among them. */
export interface CellDbs {
  all(): Promise<readonly CellDb[]>
}

/** cell0 keeps the servers that no host could take. */
export const cell0Uuid = '00000000-0000-0000-0000-000000000000'
