/**
 * A conductor that does not know the API's database: it serves the hosts of its cell, whose agents have no database at
 * all, and asks nothing of what is above the cell. Servers are built, changed and deleted by conductors that know it.
 */
import type { PlacementClient } from '#placement/client.ts'
import type { Bus } from '../../base/bus/bus.ts'
import { serveRpc } from '../../base/bus/rpc.ts'
import type { Logger } from '../../base/log.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import { conductorService, reportState } from '../cells/report-state.ts'
import type { AgentClient } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import { hostMessages } from './host-messages.ts'
import type { ResourceConfig } from './register-hosts.ts'

export interface CellConductorOptions {
  host: string
  /** Tells this process from other conductors of the host. */
  server: string
  /** Its number in the API's database is not known. */
  cell: CellDb
  bus: Bus
  agents: AgentClient
  placement: PlacementClient
  resources: ResourceConfig
  log: Logger
}

export async function startCellConductor(options: CellConductorOptions): Promise<AsyncDisposable> {
  const { host, server, cell, bus, agents, placement, resources, log } = options
  const misled = (what: string) => () => {
    log.error(
      `${what} was sent to the conductors of a cell, which cannot do it without [api_database] connection: ` +
        'let nova-api and a nova-conductor that has one use the same transport_url.',
    )
  }
  const serving = await serveRpc(
    bus,
    conductorRpc,
    { server },
    {
      ...hostMessages({
        cell,
        cells: { withHosts: () => [cell] },
        agents: () => agents,
        placement,
        resources,
        log,
      }),
      wake: misled('What is to be done for a server'),
      cancelled: misled('That what is done for a server is cancelled'),
      portsPlugged: misled('What Network did'),
      externalEvents: misled('What other services did'),
      // Nothing is remembered here of hosts.
      hostsChanged: () => undefined,
    },
  )
  const tasks = runTasks([reportState({ db: cell.db, host, services: [conductorService] })], { log })
  return {
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]()
      await serving[Symbol.asyncDispose]()
    },
  }
}
