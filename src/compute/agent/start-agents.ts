/** Wires the compute agents of this process: one host as a rule, many simulated ones. They hold no truth. */
import type { Bus } from '../../base/bus/bus.ts'
import { rpcClient, serveRpc } from '../../base/bus/rpc.ts'
import { describeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import type { RunningTasks } from '../../base/task/task.ts'
import { agentRpc } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import type { ImageSource } from '../virt/driver.ts'
import { type AgentHost, agentHandlers } from './handlers.ts'
import { reportHosts, reportInventory } from './tasks/report-hosts.ts'
import { type SyncedHost, syncGuests } from './tasks/sync-guests.ts'

export interface AgentsOptions {
  hosts: readonly AgentHost[]
  bus: Bus
  images: ImageSource
  log: Logger
  /** `max_concurrent_builds`, of each host. */
  concurrentBuilds?: number
}

/** Starts the drivers, takes messages, and has told the conductor what the hosts have when it resolves. */
export async function startAgents(options: AgentsOptions): Promise<AsyncDisposable> {
  const { hosts, bus, images, log } = options
  const conductor = rpcClient(bus, conductorRpc)
  await using undo = new AsyncDisposableStack()
  let running: RunningTasks | undefined
  const concurrentBuilds = options.concurrentBuilds ?? 10
  const onLeftover = (): void => running?.wake('sync-guests')
  const synced: SyncedHost[] = []
  for (const each of hosts) {
    const { host, driver } = each
    undo.use(driver)
    await driver.start((event) => {
      conductor.powerChanged({ host, ...event }).catch((error: unknown) => {
        log.warn(
          { host, uuid: event.uuid, error: describeError(error) },
          'a power state could not be reported',
        )
      })
    })
    const handlers = agentHandlers(each, { images, log, concurrentBuilds, onLeftover })
    synced.push({ host, driver, destroy: async (args) => handlers.destroy(args) })
    undo.use(await serveRpc(bus, agentRpc, { server: host }, handlers))
  }
  const told = new Map<string, string>()
  const all = [
    reportInventory({ hosts, conductor, told }),
    reportHosts({ hosts, conductor, told, tellInventory: () => running?.wake('report-inventory') }),
    syncGuests({ hosts: synced, conductor, log }),
  ]
  const tasks = undo.use(runTasks(all, { log }))
  running = tasks
  undo.use(
    bus.watch(({ connected }) => {
      if (connected) for (const { name } of all) tasks.wake(name)
    }),
  )
  await tasks.runNow('report-inventory')
  return undo.move()
}
