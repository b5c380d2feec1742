import type { Kysely } from 'kysely'
import { isFault } from '../../base/errors.ts'
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

/**
 * Does the same in each cell and gives what came of it, without the cells whose database cannot be reached: a cell that
 * is down takes nothing along but what is in it.
 */
export async function inReachable<C extends CellDb, T>(
  cells: readonly C[],
  work: (cell: C) => Promise<T>,
): Promise<T[]> {
  const results = await Promise.all(
    cells.map((cell) =>
      work(cell).then(
        (value) => [value],
        (error: unknown) => {
          if (isFault(error, 'unavailable') && error.details['failure'] !== undefined) return []
          throw error
        },
      ),
    ),
  )
  return results.flat()
}
