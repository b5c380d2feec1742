import type { Kysely } from 'kysely'
import { Fault, isFault } from '../../base/errors.ts'
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

/** True when a cell's database could not be asked. */
export const isAway = (error: unknown): boolean =>
  isFault(error, 'unavailable') && error.details['failure'] !== undefined

/** For who wanted something of a cell that is away; where its database is, is nothing for users. */
export const cellAway = (cell: CellDb, cause?: unknown): Fault =>
  new Fault(
    'unavailable',
    `Cell ${cell.uuid} is not responding, hence instance info is not available.`,
    { failure: 'unreachable', cell: cell.name },
    cause,
  )

/**
 * Does the same in each cell and gives what came of it, and the cells whose database cannot be reached: a cell that is
 * down takes nothing along but what is in it.
 */
export async function inCells<C extends CellDb, T>(
  cells: readonly C[],
  work: (cell: C) => Promise<T>,
): Promise<{ results: T[]; away: C[] }> {
  const results: T[] = []
  const away: C[] = []
  const outcomes = await Promise.allSettled(cells.map(work))
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') results.push(outcome.value)
    else if (isAway(outcome.reason)) away.push(cells[at]!)
    else throw outcome.reason
  }
  return { results, away }
}

/** As `inCells`, where it does not matter which cells are away. */
export async function inReachable<C extends CellDb, T>(
  cells: readonly C[],
  work: (cell: C) => Promise<T>,
): Promise<T[]> {
  return (await inCells(cells, work)).results
}
