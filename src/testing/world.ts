/**
 * A whole cloud in this process: the services as `up` wires them, with simulated hosts and databases in memory, spoken to
 * over its REST APIs by people known by name.
 *
 *     await using world = await startWorld({ hosts: 2 })
 *     const { compute } = world.as('alice')
 *     const { status, body } = await compute('GET', '/servers')
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, silentLogger } from '../base/log.ts'
import { type Services, type ServicesOptions, startServices } from '../cli/services.ts'
import { serviceUsers, standardPorts } from '../cli/up/settings.ts'
import { type SimulatedHost, startSimulatedHosts } from '../cli/up/simulated-hosts.ts'
import { createPeople, type Person, peopleOf } from './cloud-people.ts'
import { type FirstThings, makeFirstThings } from './first-things.ts'
import { leftoversOf } from './leftovers.ts'
import { until } from './until.ts'

export interface WorldOptions {
  hosts?: number
  log?: Logger
  /** Keeps databases and guests in files, so that `restart` finds them again. */
  kept?: boolean
  services?: Partial<Pick<ServicesOptions, 'identity' | 'compute' | 'network'>>
}

export interface World extends AsyncDisposable, FirstThings {
  readonly services: Services
  readonly hosts: readonly SimulatedHost[]
  /** `admin`; `alice` and `adam` of project alpha, `rita` who may only read there, `bob` of beta; `nobody` has no token. */
  as(name: string): Person
  /** Creates a server and waits until it is no longer being built. */
  boot(name: string, wish?: Record<string, unknown>): Promise<ServerView>
  /** The server once nothing is being done to it. */
  settled(name: string, id: string): Promise<ServerView>
  /** Deletes a server and waits until it is gone. */
  remove(name: string, id: string): Promise<void>
  /** Everything that a server holds anywhere: guests, taps, ports, allocations, flows, requests. */
  leftovers(serverId: string): Promise<string[]>
  /** Ends the cloud as it stands and starts it again, as `up` would; only when `kept`. */
  restart(services?: WorldOptions['services']): Promise<void>
}

export interface ServerView {
  id: string
  name: string
  status: string
  fault?: { code: number; message: string }
  addresses: Record<string, { addr: string; version: number; 'OS-EXT-IPS-MAC:mac_addr': string }[]>
  'OS-EXT-STS:task_state': string | null
  'OS-EXT-STS:vm_state': string
  'OS-EXT-STS:power_state': number
  [field: string]: unknown
}

const password = 'secret'

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'kilonova-world-'))
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  let running = await startRunning(directory, options, options.services)
  undo.defer(() => running[Symbol.asyncDispose]())
  await createPeople(running.services.sends, password)
  const as = peopleOf(() => running.services.sends, password)
  const first = await makeFirstThings(as('admin'), as('alice'))
  const life = undo.move()

  async function show(name: string, id: string): Promise<ServerView | undefined> {
    const { status, body } = await as(name).compute('GET', `/servers/${id}`)
    return status === 404 ? undefined : body.server
  }
  async function settled(name: string, id: string): Promise<ServerView> {
    return until(async () => {
      const server = await show(name, id)
      const isSettled = server?.status !== 'BUILD' && server?.['OS-EXT-STS:task_state'] === null
      return isSettled ? server : undefined
    }, `server ${id} to settle`)
  }
  return {
    ...first,
    get services() {
      return running.services
    },
    get hosts() {
      return running.hosts
    },
    as,
    settled,
    async boot(name, wish = {}) {
      const server = { name: 'server', imageRef: first.imageId, flavorRef: '1', ...wish }
      if (!('networks' in wish)) Object.assign(server, { networks: [{ uuid: first.networkId }] })
      const { status, body } = await as(name).compute('POST', '/servers', { server })
      if (status !== 202) throw new Error(`POST /servers: ${status} ${JSON.stringify(body)}`)
      return settled(name, body.server.id)
    },
    async remove(name, id) {
      const { status, body } = await as(name).compute('DELETE', `/servers/${id}`)
      if (status !== 204) throw new Error(`DELETE /servers/${id}: ${status} ${JSON.stringify(body)}`)
      await until(async () => ((await show(name, id)) === undefined ? true : undefined), `server ${id} to go`)
    },
    leftovers: (serverId) => leftoversOf(serverId, running, as('admin')),
    async restart(services) {
      await running[Symbol.asyncDispose]()
      running = await startRunning(directory, options, services)
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

export interface Running extends AsyncDisposable {
  services: Services
  hosts: readonly SimulatedHost[]
}

async function startRunning(
  directory: string,
  options: WorldOptions,
  services: WorldOptions['services'] = {},
): Promise<Running> {
  const { log = silentLogger } = options
  const isKept = options.kept === true
  await using undo = new AsyncDisposableStack()
  const started = undo.use(
    await startServices({
      database: (name) => (isKept ? `sqlite:///${join(directory, `${name}.sqlite`)}` : 'sqlite://'),
      keyDirectory: join(directory, 'keys'),
      imageDirectory: join(directory, 'images'),
      url: (service) => `http://controller:${standardPorts[service]}`,
      hostName: 'controller',
      secrets: {
        adminPassword: password,
        servicePasswords: Object.fromEntries(serviceUsers.map((name) => [name, password])),
        metadataProxySecret: password,
      },
      log,
      ...services,
      // The cheapest hash: tests log in often, and nobody attacks them.
      identity: { passwordHashRounds: 4, ...services.identity },
    }),
  )
  const simulated = undo.use(
    await startSimulatedHosts({
      count: options.hosts ?? 2,
      namePrefix: 'host-',
      bus: started.bus,
      server: started.network.agentServer,
      log,
      ...(isKept ? { directory: join(directory, 'guests') } : {}),
    }),
  )
  undo.use(await started.compute.startHosts(simulated.hosts))
  const life = undo.move()
  return { services: started, hosts: simulated.hosts, [Symbol.asyncDispose]: () => life.disposeAsync() }
}
