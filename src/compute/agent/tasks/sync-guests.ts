import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { ConductorClient } from '../../rpc/conductor.ts'
import type { AgentHost } from '../handlers.ts'

/**
 * Tells the conductor which guests the hosts have and how they are, and removes those that belong to no instance:
 * deleted while the host was away.
 */
export function syncGuests(deps: {
  hosts: readonly AgentHost[]
  conductor: ConductorClient
  log: Logger
}): Task {
  const { hosts, conductor, log } = deps
  return {
    name: 'sync-guests',
    everySeconds: 600,
    async run() {
      for (const { host, driver } of hosts) {
        const guests = await driver.listGuests()
        const { leftovers } = await conductor.syncGuests({ host, guests })
        for (const uuid of leftovers) {
          log.warn({ host, uuid }, 'a guest belongs to no instance: it is removed')
          await driver.destroy(uuid)
        }
      }
    },
  }
}
