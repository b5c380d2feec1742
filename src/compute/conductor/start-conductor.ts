/** Wires a conductor: flows, messages, tasks. */
import type { Kysely } from 'kysely'
import type { NetworkClient } from '#network/client.ts'
import type { PlacementClient } from '#placement/client.ts'
import type { Bus } from '../../base/bus/bus.ts'
import { rpcClient, serveRpc } from '../../base/bus/rpc.ts'
import { timestamp } from '../../base/clock.ts'
import type { ErasedFlow } from '../../base/flow/flow.ts'
import { createFlowRunner, type FlowRunner } from '../../base/flow/runner.ts'
import type { Logger } from '../../base/log.ts'
import { isDead, ownIdentity } from '../../base/process-identity.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import type { Cells } from '../cells/open-cells.ts'
import { conductorService, reportState } from '../cells/report-state.ts'
import type { AgentClient } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import type { HostDirectory } from '../scheduler/host-directory.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import { saveHostMapping } from '../store/cells.ts'
import { type ConductorConfig, type ConductorDeps, defaultConductorConfig } from './deps.ts'
import { handleExternalEvents } from './external-events.ts'
import { createServer } from './flows/create-server.ts'
import { deleteServer } from './flows/delete-server.ts'
import { operateServer } from './flows/operate-server.ts'
import { hostMessages } from './host-messages.ts'
import { createNetworkDirectory } from './network-directory.ts'
import { defaultResourceConfig, type ResourceConfig } from './register-hosts.ts'
import { settleTasks } from './tasks/settle-tasks.ts'
import { createVifWaits } from './vif-waits.ts'

export interface ConductorOptions {
  host: string
  /** Tells this process from other conductors of the host; the host's name unless given. */
  server?: string
  apiDb: Kysely<ApiTables>
  cells: Cells
  bus: Bus
  /** The cell whose agents' messages come over `bus`: the one with this conductor's own database. */
  cell: CellDb
  agents: (cellId: number) => AgentClient
  scheduler: Scheduler
  directory: HostDirectory
  placement: PlacementClient
  network: NetworkClient
  log: Logger
  config?: Partial<ConductorConfig>
  resources?: Partial<ResourceConfig>
  /** Changes a flow before it is known: how tests make one stop at a step. */
  changeFlow?: (flow: ErasedFlow<ConductorDeps>) => ErasedFlow<ConductorDeps>
  /** All flows of conductors of this host are a dead process's: it is the only one. */
  alone?: boolean
}

export interface Conductor extends AsyncDisposable {
  flows: FlowRunner
  deps: ConductorDeps
}

/** Another conductor goes on with what a dead one's machine took along after so long. */
const sharedLeaseSeconds = 30

/** Owners are `host:process:runner`. The only conductor of its host knows all others of it dead. */
function isDeadConductor(owner: string, host: string, alone: boolean): boolean {
  if (!owner.startsWith(`${host}:`)) return false
  const [identity = ''] = owner.slice(host.length + 1).split(':')
  return alone || isDead(identity)
}

export async function startConductor(options: ConductorOptions): Promise<Conductor> {
  const { host, apiDb, cells, cell, bus, placement, network, scheduler, directory, log } = options
  const deps: ConductorDeps = {
    apiDb,
    cells,
    placement,
    network,
    networks: createNetworkDirectory(network),
    agents: options.agents,
    scheduler,
    directory,
    vifs: createVifWaits(),
    config: { ...defaultConductorConfig, ...options.config },
    log,
  }
  const owner = `${host}:${ownIdentity()}`
  const conductors = rpcClient(bus, conductorRpc)
  const tellAll = (subject: string) => {
    conductors
      .cancelled({ subject })
      .catch((error: unknown) => log.warn({ err: error, subject }, 'the other conductors were not told'))
  }
  const flows = createFlowRunner({
    db: apiDb,
    flows: [createServer, deleteServer, operateServer].map(options.changeFlow ?? ((flow) => flow)),
    deps,
    owner,
    log,
    leaseSeconds: options.alone === true ? 60 : sharedLeaseSeconds,
    onHeld: tellAll,
    isDead: (other) => isDeadConductor(other, host, options.alone === true),
  })
  const resources = { ...defaultResourceConfig, ...options.resources }
  const hostsChanged = () => {
    directory.forget()
    scheduler.hostsChanged()
  }
  const mapHost = (name: string) => saveHostMapping(apiDb, name, cell.id)
  const serving = await serveRpc(
    bus,
    conductorRpc,
    { server: options.server ?? host },
    {
      ...hostMessages({ ...deps, cell, resources, mapHost, onHosts: hostsChanged }),
      wake: ({ subject }) => flows.wake(subject),
      cancelled: ({ subject }) => flows.look(subject),
      portsPlugged({ ports }) {
        for (const { id, succeeded } of ports) deps.vifs.plugged(id, succeeded)
      },
      externalEvents: ({ events }) => handleExternalEvents(deps, events),
      hostsChanged,
    },
  )
  const wake = (subject: string) => flows.wake(subject)
  const aloneSince = options.alone === true ? { aloneSince: timestamp() } : {}
  const tasks = runTasks(
    [
      reportState({ db: cell.db, host, services: [conductorService] }),
      settleTasks({ apiDb, cells, wake, log, ...aloneSince }),
    ],
    { log },
  )
  return {
    flows,
    deps,
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]()
      await flows[Symbol.asyncDispose]()
      await serving[Symbol.asyncDispose]()
    },
  }
}
