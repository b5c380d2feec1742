import type { Db } from '../../base/db/database.ts'
import type { Task } from '../../base/task/task.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { reportServices } from '../store/services.ts'

/** `report_interval` of every nova service. */
export const reportSeconds = 10

/** A program as `services` knows it. */
export interface ServiceName {
  /** `nova-conductor` */
  binary: string
  /** `conductor` */
  topic: string
}

/** Says in the cell's `services` that these programs of a host live. */
export function reportState(options: {
  db: Db<CellTables>
  host: string
  services: readonly ServiceName[]
  everySeconds?: number
}): Task {
  const { db, host, services } = options
  return {
    name: 'report-state',
    everySeconds: options.everySeconds ?? reportSeconds,
    retrySeconds: 2,
    async run() {
      for (const { binary, topic } of services) await reportServices(db, binary, topic, [host])
    },
  }
}

export const conductorService: ServiceName = { binary: 'nova-conductor', topic: 'conductor' }
export const schedulerService: ServiceName = { binary: 'nova-scheduler', topic: 'scheduler' }
export const consoleauthService: ServiceName = { binary: 'nova-consoleauth', topic: 'consoleauth' }
