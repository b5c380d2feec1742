/** Wires Network by hand: database, API, messages with agents, events for compute. */
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import type { TokenValidator } from '../base/auth/context.ts'
import { createPolicy } from '../base/auth/policy/policy.ts'
import type { PolicyOverrides } from '../base/auth/policy/policy-file.ts'
import type { Bus } from '../base/bus/bus.ts'
import { type Clock, systemClock, timestamp } from '../base/clock.ts'
import { type DatabaseOpener, migratedDatabases } from '../base/db/opener.ts'
import { createApi } from '../base/http/app.ts'
import type { Logger } from '../base/log.ts'
import { runTasks } from '../base/task/run-tasks.ts'
import { configuredAliases } from './api/extensions/extensions.ts'
import { renderFault } from './api/faults.ts'
import { networkPolicies } from './api/policies.ts'
import type { ApiDeps } from './api/resource.ts'
import { networkRoutes } from './api/routes.ts'
import { defaultNetworkOptions, type NetworkOptions } from './config.ts'
import { failover } from './dhcp/failover.ts'
import type { SendEvents } from './events/compute-event.ts'
import { createOutbox } from './events/outbox.ts'
import { mechanismDrivers } from './ml2/binding.ts'
import { refuseLostTypes } from './ml2/segments.ts'
import type { ServerMethods } from './rpc/agents.ts'
import { pruneLog } from './rpc/prune-log.ts'
import { serveAgents, serverMethods } from './rpc/server-methods.ts'
import { createWaker } from './rpc/waker.ts'
import { networkMigrations } from './store/migrations/list.ts'
import type { Tables } from './store/tables.ts'

export interface NetworkServiceOptions {
  databaseUrl: string
  /** Makes the tables where they are not there, unless given. */
  openDatabase?: DatabaseOpener
  tokens: TokenValidator
  bus: Bus
  /** Tells this process from other servers; `neutron-server` unless given. */
  server?: string
  log: Logger
  /** For `WWW-Authenticate`. */
  identityUri: string
  options?: Partial<NetworkOptions>
  policyOverrides?: PolicyOverrides
  /** Tells compute of ports; without it nobody is told. */
  sendEvents?: SendEvents
  clock?: Clock
}

export interface NetworkService extends AsyncDisposable {
  app: FastifyInstance
  db: Kysely<Tables>
  options: NetworkOptions
  /** What agents call, for those that run in the same process. */
  agentServer: ServerMethods
  /** Looks after DHCP agents that died now, and waits for it. */
  checkDhcp(): Promise<void>
}

/** Opens the database, brings it up to date, and serves; the caller listens with `app` or injects into it. */
export async function startNetwork(settings: NetworkServiceOptions): Promise<NetworkService> {
  const options = { ...defaultNetworkOptions, ...settings.options }
  const { log, bus } = settings
  const db = await (settings.openDatabase ?? migratedDatabases({ log: settings.log }))<Tables>(
    settings.databaseUrl,
    networkMigrations,
  )
  await using undo = new AsyncDisposableStack()
  undo.defer(() => db.destroy())
  await refuseLostTypes(db, options)
  const clock = settings.clock ?? systemClock
  const waker = undo.use(createWaker({ bus, log, db, options, now: () => timestamp(clock) }))
  const { sendEvents } = settings
  const outbox = sendEvents === undefined ? undefined : undo.use(createOutbox({ db, send: sendEvents, log }))
  const deps: ApiDeps = {
    db,
    options,
    log,
    clock,
    aliases: configuredAliases(options),
    wakeAgents: (changes) => waker.wake(changes),
    outbox,
  }
  const agentServer = serverMethods(deps, mechanismDrivers(options))
  undo.use(await serveAgents(bus, agentServer, settings.server ?? 'neutron-server'))
  const tasks = undo.use(runTasks([failover(deps), pruneLog(db)], { log }))
  const app = createApi({
    name: 'network',
    routes: networkRoutes(options),
    deps,
    log,
    tokens: settings.tokens,
    policy: createPolicy(networkPolicies, settings.policyOverrides),
    renderFault,
    identityUri: settings.identityUri,
  })
  undo.defer(() => app.close())
  const ending = undo.move()
  return {
    app,
    db,
    options,
    agentServer,
    checkDhcp: () => tasks.runNow('dhcp-failover'),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  }
}
