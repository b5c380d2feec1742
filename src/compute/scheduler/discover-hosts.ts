/**
 * Maps compute hosts to their cells from time to time (`[scheduler] discover_hosts_in_cells_interval`), as
 * `nova-manage cell_v2 discover_hosts` does. Hosts map themselves when they report; this finds those whose report went to
 * another's conductor, or whose mapping was taken away.
 */
import type { Db } from '../../base/db/database.ts'
import { describeError, Fault } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Task } from '../../base/task/task.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import { listHostMappings, saveHostMapping } from '../store/cells.ts'
import { listComputeNodes } from '../store/compute-nodes.ts'

export interface DiscoveryDeps {
  apiDb: Db<ApiTables>
  /** Those that have hosts. */
  cells(): readonly CellDb[]
  everySeconds: number
  log: Logger
}

export function discoverHosts({ apiDb, cells, everySeconds, log }: DiscoveryDeps): Task {
  return {
    name: 'discover-hosts',
    everySeconds,
    async run() {
      const mapped = await listHostMappings(apiDb)
      const failures: string[] = []
      for (const cell of cells()) {
        try {
          for (const { host } of await listComputeNodes(cell.db)) {
            if (mapped.has(host)) continue
            await saveHostMapping(apiDb, host, cell.id)
            mapped.set(host, cell.id)
            log.info({ host, cell: cell.name }, 'a new compute host was found')
          }
        } catch (error) {
          // A cell that is away must not hide the hosts of the others.
          failures.push(`${cell.name}: ${describeError(error)}`)
        }
      }
      if (failures.length > 0)
        throw new Fault('unavailable', `Hosts could not be looked for everywhere: ${failures.join('; ')}`)
    },
  }
}
