/** For commands that are about one instance: where it is, and how they end when it is not there. */
import type { Kysely } from 'kysely'
import { describeError, Fault, type FaultKind, isFault, notFound } from '../../base/errors.ts'
import type { Given } from '../../base/manage/program.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { findInstanceMapping } from '../store/instance-mappings.ts'
import { findInstanceRow } from '../store/instances.ts'
import { cellsOf, type NovaManage } from './deps.ts'

export interface InstanceAt {
  vmState: string
  cellDb: Kysely<CellTables>
}

/** The living instance and its cell; a Fault `not-found` in nova's words when there is none. */
export async function getInstanceAt(deps: NovaManage, uuid: string): Promise<InstanceAt> {
  const mapping = await findInstanceMapping(deps.apiDb(), uuid)
  if (mapping === undefined) {
    throw new Fault('not-found', `Instance ${uuid} has no mapping to a cell.`, { uuid })
  }
  const cell = (await cellsOf(deps)).find(({ id }) => id === mapping.cell_id)
  if (cell === undefined) throw notFound('Instance', uuid)
  const cellDb = deps.cellDb(cell.database_connection)
  const row = await findInstanceRow(cellDb, uuid)
  if (row === undefined) throw notFound('Instance', uuid)
  return { vmState: row.vm_state, cellDb }
}

/** Prints what stopped the command, and gives the exit code that it has for that; 1 for all that has none. */
export const exitsWith =
  (codes: Partial<Record<FaultKind, number>>, run: (given: Given, deps: NovaManage) => Promise<number>) =>
  async (given: Given, deps: NovaManage): Promise<number> => {
    try {
      return await run(given, deps)
    } catch (error) {
      const code = isFault(error) ? codes[error.kind] : undefined
      deps.print(code === undefined ? `Unexpected error: ${describeError(error)}` : describeError(error))
      return code ?? 1
    }
  }

/** What may be changed of an instance only while no guest of it runs. */
export function assertNotRunning(uuid: string, { vmState }: InstanceAt, doing: string): void {
  if (['stopped', 'shelved', 'shelved_offloaded'].includes(vmState)) return
  throw new Fault(
    'conflict',
    `Instance ${uuid} in vm_state ${vmState}. Cannot ${doing} while the instance is in this state.`,
    { uuid, vmState },
  )
}
