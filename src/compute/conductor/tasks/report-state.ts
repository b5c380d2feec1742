import type { Task } from '../../../base/task/task.ts'
import type { CellDb } from '../../store/cell-dbs.ts'
import { reportServices } from '../../store/services.ts'

/** `report_interval` of every nova service. */
export const reportSeconds = 10

/** Says that the conductor and the scheduler of this host live. */
export function reportState({ cell, host }: { cell: CellDb; host: string }): Task {
  return {
    name: 'report-state',
    everySeconds: reportSeconds,
    async run() {
      await reportServices(cell.db, 'nova-conductor', 'conductor', [host])
      await reportServices(cell.db, 'nova-scheduler', 'scheduler', [host])
    },
  }
}
