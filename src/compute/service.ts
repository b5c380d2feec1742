/** All of compute in one process, wired by hand: the API, metadata, a conductor, a scheduler, and agents of hosts. */
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import { imageClient } from '#image/client.ts'
import { networkClient } from '#network/client.ts'
import { placementClient } from '#placement/client.ts'
import type { TokenValidator } from '../base/auth/context.ts'
import type { PolicyOverrides } from '../base/auth/policy/policy-file.ts'
import type { Bus } from '../base/bus/bus.ts'
import { rpcClient } from '../base/bus/rpc.ts'
import { migratedDatabases } from '../base/db/opener.ts'
import type { Send } from '../base/http/client.ts'
import type { Logger } from '../base/log.ts'
import { runTasks } from '../base/task/run-tasks.ts'
import type { AgentHost } from './agent/handlers.ts'
import { imageSource } from './agent/image-source.ts'
import { startAgents } from './agent/start-agents.ts'
import { startApi } from './api/start-api.ts'
import { type Cells, ensureCells, openCells } from './cells/open-cells.ts'
import { reportState, schedulerService } from './cells/report-state.ts'
import type { ConductorConfig } from './conductor/deps.ts'
import { type Conductor, type ConductorOptions, startConductor } from './conductor/start-conductor.ts'
import { type ComputeApiConfig, defaultComputeApiConfig } from './config.ts'
import { startMetadata } from './metadata/start-metadata.ts'
import { agentRpc } from './rpc/agent.ts'
import { createHostDirectory } from './scheduler/host-directory.ts'
import { createScheduler } from './scheduler/scheduler.ts'
import type { ApiTables } from './store/api-tables.ts'
import { apiMigrations } from './store/migrations/list.ts'

export interface ComputeOptions {
  /** The URL of a database by its name: `nova_api`, `nova_cell0`, `nova`. */
  database: (name: 'nova_api' | 'nova_cell0' | 'nova') => string
  /** Of the host that the conductor and scheduler run on. */
  hostName: string
  bus: Bus
  tokens: TokenValidator
  /** A token of the service user `nova`. */
  serviceToken: () => Promise<string>
  identity: Send
  image: Send
  placement: Send
  network: Send
  /** `[neutron] metadata_proxy_shared_secret`. */
  metadataSharedSecret: string
  identityUri: string
  log: Logger
  policyOverrides?: PolicyOverrides
  api?: Partial<ComputeApiConfig>
  conductor?: Partial<ConductorConfig>
  changeFlow?: ConductorOptions['changeFlow']
}

export interface ComputeService extends AsyncDisposable {
  app: FastifyInstance
  metadataApp: FastifyInstance
  apiDb: Kysely<ApiTables>
  cells: Cells
  conductor: Conductor
  /**
   * Starts the agents of these hosts, then takes up the flows that an earlier process left: they need the hosts. To be
   * called once, with no hosts where others have them. Disposing the result stops the agents; guests go on.
   */
  startHosts(hosts: readonly AgentHost[]): Promise<AsyncDisposable>
}

/** Opens the databases, brings them up to date, and starts everything but hosts; the caller listens with the apps. */
export async function startCompute(options: ComputeOptions): Promise<ComputeService> {
  const { bus, log, serviceToken, hostName } = options
  await using undo = new AsyncDisposableStack()
  const apiDb = await migratedDatabases({ log })<ApiTables>(options.database('nova_api'), apiMigrations)
  undo.defer(() => apiDb.destroy())
  await ensureCells(apiDb, { cell0: options.database('nova_cell0'), cell1: options.database('nova') })
  const cells = undo.use(await openCells(apiDb, { log }))
  const cell = cells.withHosts()[0]!
  const placement = placementClient(options.placement, serviceToken)
  const network = networkClient(options.network, serviceToken)
  const config = { ...defaultComputeApiConfig, ...options.api }
  const agentClient = rpcClient(bus, agentRpc)
  const agents = () => agentClient
  const directory = createHostDirectory({
    apiDb,
    cells: cells.withHosts,
    serviceDownSeconds: config.serviceDownSeconds,
    defaultAvailabilityZone: config.defaultAvailabilityZone,
  })
  const conductor = undo.use(
    await startConductor({
      host: hostName,
      apiDb,
      cells,
      cell,
      bus,
      agents,
      scheduler: createScheduler({ apiDb, cells: cells.withHosts, placement, directory }),
      directory,
      placement,
      network,
      log: log.child({ service: 'compute.conductor' }),
      config: options.conductor ?? {},
      alone: true,
      ...(options.changeFlow === undefined ? {} : { changeFlow: options.changeFlow }),
    }),
  )
  undo.use(runTasks([reportState({ db: cell.db, host: hostName, services: [schedulerService] })], { log }))
  const app = startApi({
    ...options,
    apiDb,
    cells,
    agents,
    placement,
    config,
    log: log.child({ service: 'compute.api' }),
  })
  undo.defer(() => app.close())
  const metadataApp = startMetadata({
    apiDb,
    cells,
    network,
    sharedSecret: options.metadataSharedSecret,
    log: log.child({ service: 'compute.metadata' }),
  })
  undo.defer(() => metadataApp.close())
  const life = undo.move()
  return {
    app,
    metadataApp,
    apiDb,
    cells,
    conductor,
    async startHosts(hosts) {
      const images = imageSource(imageClient(options.image, serviceToken))
      const started = await startAgents({ hosts, bus, images, log: log.child({ service: 'compute.agent' }) })
      await conductor.flows.start()
      return started
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}
