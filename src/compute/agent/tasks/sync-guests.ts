import { Fault } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { ConductorClient } from '../../rpc/conductor.ts'
import type { Driver } from '../../virt/driver.ts'

export interface SyncedHost {
  host: string
  driver: Pick<Driver, 'listGuests' | 'listRemnants'>
  /** Ends a guest with its disks, after what is under way with it. */
  destroy(args: { uuid: string }): Promise<unknown>
}

/**
 * Tells the conductor which guests the hosts have and how they are, and ends those that belong to no instance: deleted
 * while the host was away. What cannot be ended keeps nobody else waiting.
 */
export function syncGuests(deps: {
  hosts: readonly SyncedHost[]
  conductor: ConductorClient
  log: Logger
}): Task {
  const { hosts, conductor, log } = deps
  return {
    name: 'sync-guests',
    everySeconds: 600,
    retrySeconds: 2,
    async run() {
      const failures: unknown[] = []
      for (const { host, driver, destroy } of hosts) {
        const [guests, remnants] = await Promise.all([driver.listGuests(), driver.listRemnants()])
        const { leftovers } = await conductor.syncGuests({ host, guests, remnants })
        for (const uuid of leftovers) {
          log.warn({ host, uuid }, 'a guest belongs to no instance: it is ended')
          await destroy({ uuid }).catch((error: unknown) => failures.push(error))
        }
      }
      if (failures.length === 0) return
      const what = `${failures.length} guests that belong to no instance could not be ended`
      throw new Fault('unavailable', what, {}, failures[0])
    },
  }
}
