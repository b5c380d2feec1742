/** Wires a conductor with its scheduler: flows, messages, tasks. */
import type { Kysely } from 'kysely'
import type { NetworkClient } from '#network/client.ts'
import type { PlacementClient } from '#placement/client.ts'
import type { Bus } from '../../base/bus/bus.ts'
import { rpcClient, serveRpc } from '../../base/bus/rpc.ts'
import { timestamp } from '../../base/clock.ts'
import type { ErasedFlow } from '../../base/flow/flow.ts'
import { createFlowRunner, type FlowRunner } from '../../base/flow/runner.ts'
import type { Logger } from '../../base/log.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import type { Cells } from '../cells/open-cells.ts'
import { agentRpc } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import { createHostDirectory } from '../scheduler/host-directory.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { reportServices } from '../store/services.ts'
import { type ConductorConfig, type ConductorDeps, defaultConductorConfig } from './deps.ts'
import { handleExternalEvents } from './external-events.ts'
import { createServer } from './flows/create-server.ts'
import { deleteServer } from './flows/delete-server.ts'
import { operateServer } from './flows/operate-server.ts'
import { createNetworkDirectory } from './network-directory.ts'
import { notePowerChange, syncGuests } from './power-sync.ts'
import { defaultResourceConfig, type ResourceConfig, registerHosts } from './register-hosts.ts'
import { reportState } from './tasks/report-state.ts'
import { settleTasks } from './tasks/settle-tasks.ts'
import { createVifWaits } from './vif-waits.ts'

export interface ConductorOptions {
  host: string
  apiDb: Kysely<ApiTables>
  cells: Cells
  bus: Bus
  placement: PlacementClient
  network: NetworkClient
  log: Logger
  config?: Partial<ConductorConfig>
  resources?: Partial<ResourceConfig>
  enabledFilters?: readonly string[]
  serviceDownSeconds?: number
  defaultAvailabilityZone?: string
  /** Changes a flow before it is known: how tests make one stop at a step. */
  changeFlow?: (flow: ErasedFlow<ConductorDeps>) => ErasedFlow<ConductorDeps>
  /** All flows of conductors of this host are a dead process's: it is the only one. */
  alone?: boolean
}

export interface Conductor extends AsyncDisposable {
  flows: FlowRunner
  deps: ConductorDeps
}

export async function startConductor(options: ConductorOptions): Promise<Conductor> {
  const { host, apiDb, cells, bus, placement, network, log } = options
  const withHosts = cells.withHosts()
  const [cell] = withHosts
  if (cell === undefined) throw new Error('a conductor needs a cell besides cell0')
  const directory = createHostDirectory({
    apiDb,
    cells: withHosts,
    serviceDownSeconds: options.serviceDownSeconds ?? 60,
    defaultAvailabilityZone: options.defaultAvailabilityZone ?? 'nova',
  })
  const { enabledFilters } = options
  const scheduler = createScheduler({
    apiDb,
    cells: withHosts,
    placement,
    directory,
    ...(enabledFilters === undefined ? {} : { enabledFilters }),
  })
  const deps: ConductorDeps = {
    apiDb,
    cells,
    placement,
    network,
    networks: createNetworkDirectory(network),
    agents: rpcClient(bus, agentRpc),
    scheduler,
    directory,
    vifs: createVifWaits(),
    config: { ...defaultConductorConfig, ...options.config },
    log,
  }
  const owner = `conductor:${host}:`
  const flows = createFlowRunner({
    db: apiDb,
    flows: [createServer, deleteServer, operateServer].map(options.changeFlow ?? ((flow) => flow)),
    deps,
    owner,
    log,
    ...(options.alone === true ? { takeOver: owner } : {}),
  })
  const resources = { ...defaultResourceConfig, ...options.resources }
  const serving = await serveRpc(
    bus,
    conductorRpc,
    { server: host },
    {
      wake: ({ subject }) => flows.wake(subject),
      cancelled: ({ subject }) => flows.wake(subject),
      externalEvents: ({ events }) => handleExternalEvents(deps, events),
      hostsChanged: () => directory.forget(),
      async hostsStarted({ hosts }) {
        await registerHosts({ apiDb, cell, placement, resources }, hosts)
        directory.forget()
        return {}
      },
      async reportHosts({ hosts }) {
        await reportServices(cell.db, 'nova-compute', 'compute', hosts)
        return {}
      },
      powerChanged: (change) => notePowerChange(deps, change),
      syncGuests: async ({ host, guests }) => ({ leftovers: await syncGuests(deps, host, guests) }),
    },
  )
  const wake = (subject: string) => flows.wake(subject)
  const aloneSince = options.alone === true ? { aloneSince: timestamp() } : {}
  const tasks = runTasks(
    [reportState({ cell, host }), settleTasks({ apiDb, cells, wake, log, ...aloneSince })],
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
