/**
 * A cloud of OpenStack's programs, each a process of its own, with simulated hosts: its files as an operator writes
 * them, in a directory of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openDatabase } from '../base/db/database.ts'
import { type Migration, migrate } from '../base/db/migrate.ts'
import type { Send } from '../base/http/client.ts'
import { sendByHttp } from '../base/http/send-by-http.ts'
import { silentLogger } from '../base/log.ts'
import type { ApiName } from '../cli/admin-client.ts'
import type { ProgramName } from '../cli/config/programs.ts'
import { ensureCells } from '../compute/cells/open-cells.ts'
import type { ApiTables } from '../compute/store/api-tables.ts'
import { apiMigrations, cellMigrations } from '../compute/store/migrations/list.ts'
import { startIdentity } from '../identity/service.ts'
import { migrations as imageMigrations } from '../image/store/migrations/list.ts'
import { networkMigrations } from '../network/store/migrations/list.ts'
import { migrations as placementMigrations } from '../placement/store/migrations/list.ts'
import { peopleOf } from './cloud-people.ts'
import { ok } from './first-things.ts'
import { freePorts } from './free-ports.ts'
import { until } from './until.ts'

export interface DaemonCloudOptions {
  transportUrl: string
  /** The URL of a database by its name; files of the cloud's directory unless given. */
  database?: (name: string) => string
  computeHosts?: readonly string[]
  /** Of each API. */
  workers?: number
}

const services = [
  'identity',
  'identityAdmin',
  'image',
  'placement',
  'compute',
  'metadata',
  'network',
] as const
type ServiceName = (typeof services)[number]

/** A program of the cloud: `nova-api`, `nova-compute@compute1`. */
export type InstanceName = ProgramName | `${ProgramName}@${string}`

const password = 'secret'
/** Many programs start at once, maybe on a busy machine. */
const startPatience = 300_000
const main = new URL('../cli/main.ts', import.meta.url).pathname

export class DaemonCloud implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kilonova-daemons-'))
  readonly computeHosts: readonly string[]
  readonly sends: Readonly<Record<ApiName, Send>>
  readonly #options: DaemonCloudOptions
  readonly #ports: Readonly<Record<ServiceName, number>>
  readonly #running = new Map<InstanceName, ChildProcess>()
  readonly #startedAt = new Map<InstanceName, string>()

  private constructor(options: DaemonCloudOptions, ports: readonly number[]) {
    this.#options = options
    this.computeHosts = options.computeHosts ?? ['compute1', 'compute2']
    const pairs = services.map((service, index) => [service, ports[index]])
    this.#ports = Object.fromEntries(pairs) as Record<ServiceName, number>
    const send = (service: ApiName) => sendByHttp(this.url(service))
    this.sends = {
      identity: send('identity'),
      image: send('image'),
      placement: send('placement'),
      compute: send('compute'),
      network: send('network'),
    }
    for (const name of ['conf', 'log', 'databases']) mkdirSync(join(this.directory, name))
    this.setWorkers(options.workers ?? 1)
  }

  /** Files, databases and the administrator, and no program yet. */
  static async prepare(options: DaemonCloudOptions): Promise<DaemonCloud> {
    const cloud = new DaemonCloud(options, await freePorts(services.length))
    await cloud.#makeDatabases()
    return cloud
  }

  /** Writes the files with so many workers of each API; one that runs heeds them at its next SIGHUP. */
  setWorkers(workers: number): void {
    for (const [name, text] of Object.entries(this.#files(workers)))
      writeFileSync(join(this.directory, 'conf', name), text)
  }

  url(service: ServiceName): string {
    return `http://127.0.0.1:${this.#ports[service]}`
  }

  /** Who speaks to the APIs over HTTP. */
  as = peopleOf(() => this.sends, password)

  /** Every program, in the order of the guide: identity first, hosts last. */
  get names(): InstanceName[] {
    const controller: InstanceName[] = ['keystone', 'glance-api', 'placement-api', 'neutron-server']
    controller.push('nova-api', 'nova-conductor', 'nova-scheduler', 'nova-consoleauth')
    controller.push('neutron-dhcp-agent', 'neutron-metadata-agent')
    const hosts = this.computeHosts.flatMap((host): InstanceName[] => [
      `neutron-linuxbridge-agent@${host}`,
      `nova-compute@${host}`,
    ])
    return [...controller, ...hosts]
  }

  /** Starts a program and waits for nothing. */
  start(name: InstanceName): void {
    const [program, host] = name.split('@') as [ProgramName, string | undefined]
    const files = filesOf(program).map((file) => join(this.directory, 'conf', file))
    // Of the host, and what a test wrote for this one program there.
    const own = host === undefined ? [] : [host, name].map((of) => join(this.directory, 'conf', `${of}.conf`))
    files.push(...own.filter((file) => existsSync(file)))
    const args = files.flatMap((file) => ['--config-file', file])
    const output = openSync(join(this.directory, 'log', `${name}.out`), 'a')
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, program, ...args, '--log-file', this.logFile(name)],
      { stdio: ['ignore', output, output], env: { PATH: process.env['PATH'], HOME: this.directory } },
    )
    closeSync(output)
    this.#startedAt.set(name, new Date().toISOString())
    child.once('exit', () => {
      if (this.#running.get(name) === child) this.#running.delete(name)
    })
    this.#running.set(name, child)
  }

  /** Runs a command of an operator on the controller, such as `nova-manage`; gives what it printed. */
  async command(name: 'nova-manage', conf: string, ...words: string[]): Promise<string> {
    const file = join(this.directory, 'conf', conf)
    const args = [main, name, '--config-file', file, ...words]
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', ...args])
    return stdout
  }

  startAll(): void {
    for (const name of this.names) this.start(name)
  }

  isRunning(name: InstanceName): boolean {
    return this.#running.has(name)
  }

  pid(name: InstanceName): number {
    const pid = this.#running.get(name)?.pid
    if (pid === undefined) throw new Error(`${name} does not run`)
    return pid
  }

  signal(name: InstanceName, signal: NodeJS.Signals): void {
    process.kill(this.pid(name), signal)
  }

  /** Resolves with the exit code once it has ended. */
  async stop(name: InstanceName, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#running.get(name)
    if (child === undefined) return null
    const ended = once(child, 'exit') as Promise<[number | null]>
    child.kill(signal)
    const [code] = await ended
    return code
  }

  logFile(name: InstanceName): string {
    return join(this.directory, 'log', `${name}.log`)
  }

  /** What a program said, as data. */
  log(name: InstanceName): { level: string; msg: string; [field: string]: unknown }[] {
    const path = this.logFile(name)
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }

  /** Waits until a program says that it runs, since it was started last. */
  async untilRunning(name: InstanceName): Promise<void> {
    const since = this.#startedAt.get(name) ?? ''
    const runs = () => this.log(name).some(({ msg, time }) => msg === 'running' && String(time) >= since)
    await until(async () => (runs() ? true : undefined), `${name} to run`, startPatience)
  }

  /** Waits until every API answers, every service reported itself and every agent is alive. */
  async untilReady(): Promise<void> {
    const hosts = this.computeHosts.length
    await until(
      async () => {
        try {
          // Tokens are remembered for a while: that one serves does not tell that identity does.
          for (const send of Object.values(this.sends)) await send({ method: 'GET', path: '/' })
          const { compute, network, placement } = this.as('admin')
          const { body: nova } = await compute('GET', '/os-services')
          const { body: neutron } = await network('GET', '/agents')
          const up = nova.services.filter((one: { state: string }) => one.state === 'up').length
          const alive = neutron.agents.filter((one: { alive: boolean }) => one.alive).length
          const { body: hypervisors } = await compute('GET', '/os-hypervisors')
          // A host is known a moment before what it has is.
          const { body: offering } = await placement('GET', '/resource_providers?resources=VCPU:1')
          const counts = [hypervisors.hypervisors.length, offering.resource_providers.length]
          const all = up >= 3 + hosts && alive >= 2 + hosts && counts.every((count) => count === hosts)
          return all ? true : undefined
        } catch {
          return undefined
        }
      },
      'the cloud to be ready',
      startPatience,
    )
  }

  /** Whatever is left of servers anywhere; empty once all are deleted. */
  async leftovers(): Promise<string[]> {
    const found: string[] = []
    for (const host of this.computeHosts) {
      for (const uuid of guestsOf(join(this.directory, 'nova/instances/simulated', host)))
        found.push(`guest ${uuid} on ${host}`)
      const taps = join(this.directory, 'simulated', host, 'taps')
      for (const name of existsSync(taps) ? readdirSync(taps) : []) found.push(`tap ${name} on ${host}`)
    }
    const admin = this.as('admin')
    const { ports } = ok(await admin.network('GET', '/ports'))
    for (const { id, device_owner: owner } of ports)
      if (owner.startsWith('compute:')) found.push(`port ${id}`)
    const { resource_providers: providers } = ok(await admin.placement('GET', '/resource_providers'))
    for (const { uuid } of providers) {
      const { allocations } = ok(await admin.placement('GET', `/resource_providers/${uuid}/allocations`))
      found.push(...Object.keys(allocations).map((consumer) => `allocations of ${consumer}`))
    }
    await using apiDb = openDatabase<ApiTables>(this.#database('nova_api'))
    const flows = await apiDb.selectFrom('flows').select(['kind', 'subject']).execute()
    found.push(...flows.map(({ kind, subject }) => `flow ${kind} of ${subject}`))
    const requests = await apiDb.selectFrom('build_requests').select('instance_uuid').execute()
    found.push(...requests.map((row) => `build request ${row.instance_uuid}`))
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name, 'SIGKILL')))
    rmSync(this.directory, { recursive: true, force: true })
  }

  #database(name: string): string {
    return (
      this.#options.database?.(name) ?? `sqlite:///${join(this.directory, 'databases', `${name}.sqlite`)}`
    )
  }

  async #makeDatabases(): Promise<void> {
    const make = async (name: string, migrations: readonly Migration[]) => {
      await using db = openDatabase(this.#database(name))
      await migrate(db, migrations)
    }
    await make('glance', imageMigrations)
    await make('placement', placementMigrations)
    await make('neutron', networkMigrations)
    await make('nova_cell0', cellMigrations)
    await make('nova', cellMigrations)
    await make('nova_api', apiMigrations)
    await using apiDb = openDatabase<ApiTables>(this.#database('nova_api'))
    await ensureCells(apiDb, {
      cell0: this.#database('nova_cell0'),
      cell1: this.#database('nova'),
      transportUrl: this.#options.transportUrl,
    })
    await using identity = await startIdentity({
      databaseUrl: this.#database('keystone'),
      keyDirectory: join(this.directory, 'fernet-keys'),
      publicUrl: this.url('identity'),
      passwordHashRounds: 4,
      log: silentLogger,
    })
    const at = (service: ServiceName, path = '') => {
      const url = this.url(service) + path
      return { public: url, internal: url, admin: url }
    }
    await identity.bootstrap({
      adminPassword: password,
      region: 'RegionOne',
      services: [
        { type: 'identity', name: 'keystone', urls: at('identity', '/v3') },
        { type: 'image', name: 'glance', urls: at('image') },
        { type: 'placement', name: 'placement', urls: at('placement') },
        { type: 'compute', name: 'nova', urls: at('compute', '/v2.1') },
        { type: 'network', name: 'neutron', urls: at('network') },
      ],
      serviceUsers: { nova: password, placement: password, neutron: password, glance: password },
    })
  }

  #files(workers: number): Record<string, string> {
    const { transportUrl } = this.#options
    const user = (username: string, authUrl = this.url('identityAdmin')) => `auth_type = password
auth_url = ${authUrl}
project_domain_name = default
user_domain_name = default
project_name = service
username = ${username}
password = ${password}
`
    const authtoken = (username: string) => `
[keystone_authtoken]
www_authenticate_uri = ${this.url('identity')}
${user(username)}`
    const port = this.#ports
    const simulation = `
[kilonova]
simulated = true
simulated_path = ${this.directory}/simulated
`
    return {
      'keystone.conf': `[database]
connection = ${this.#database('keystone')}
[eventlet_server]
public_bind_host = 127.0.0.1
public_port = ${port.identity}
admin_bind_host = 127.0.0.1
admin_port = ${port.identityAdmin}
public_workers = ${workers}
[fernet_tokens]
key_repository = ${this.directory}/fernet-keys
`,
      'glance-api.conf': `[DEFAULT]
bind_host = 127.0.0.1
bind_port = ${port.image}
workers = ${workers}
[database]
connection = ${this.#database('glance')}
[glance_store]
filesystem_store_datadir = ${this.directory}/glance/images
${authtoken('glance')}`,
      'placement.conf': `[DEFAULT]
bind_host = 127.0.0.1
bind_port = ${port.placement}
workers = ${workers}
[placement_database]
connection = ${this.#database('placement')}
${authtoken('placement')}`,
      'nova.conf': `[DEFAULT]
enabled_apis = osapi_compute,metadata
transport_url = ${transportUrl}
my_ip = 127.0.0.1
host = controller
state_path = ${this.directory}/nova
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = ${port.compute}
osapi_compute_workers = ${workers}
metadata_listen = 127.0.0.1
metadata_listen_port = ${port.metadata}
[api_database]
connection = ${this.#database('nova_api')}
[database]
connection = ${this.#database('nova')}
[glance]
api_servers = ${this.url('image')}
[placement]
os_region_name = RegionOne
${user('placement', `${this.url('identityAdmin')}/v3`)}
[neutron]
region_name = RegionOne
service_metadata_proxy = true
metadata_proxy_shared_secret = ${password}
${user('neutron')}
${authtoken('nova')}`,
      'nova-compute.conf': `[DEFAULT]
transport_url = ${transportUrl}
my_ip = 127.0.0.1
state_path = ${this.directory}/nova
compute_driver = fake.FakeDriver
[oslo_concurrency]
lock_path = ${this.directory}/nova/tmp
[glance]
api_servers = ${this.url('image')}
${authtoken('nova')}${simulation}`,
      'neutron.conf': `[DEFAULT]
core_plugin = ml2
transport_url = ${transportUrl}
bind_host = 127.0.0.1
bind_port = ${port.network}
api_workers = ${workers}
state_path = ${this.directory}/neutron
[oslo_concurrency]
lock_path = ${this.directory}/neutron/tmp
[database]
connection = ${this.#database('neutron')}
[nova]
region_name = RegionOne
${user('nova')}
${authtoken('neutron')}`,
      'ml2_conf.ini': `[ml2]
type_drivers = flat,vlan,vxlan
tenant_network_types = vxlan
mechanism_drivers = linuxbridge
extension_drivers = port_security
[ml2_type_flat]
flat_networks = provider
[ml2_type_vxlan]
vni_ranges = 1:1000
`,
      'linuxbridge_agent.ini': `[linux_bridge]
physical_interface_mappings = provider:eth0
[vxlan]
enable_vxlan = true
local_ip = 127.0.0.1
l2_population = true
${simulation}`,
      'dhcp_agent.ini': `[DEFAULT]
interface_driver = linuxbridge
enable_isolated_metadata = true
host = controller
${simulation}`,
      'metadata_agent.ini': `[DEFAULT]
nova_metadata_host = 127.0.0.1
nova_metadata_port = ${port.metadata}
metadata_proxy_shared_secret = ${password}
host = controller
${simulation}`,
      ...Object.fromEntries(this.computeHosts.map((host) => [`${host}.conf`, `[DEFAULT]\nhost = ${host}\n`])),
    }
  }
}

// As GuestJournal writes it, whose process may be at work.
function guestsOf(directory: string): string[] {
  const path = join(directory, 'guests')
  const guests = new Set<string>()
  for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) {
    if (line === '') continue
    const { guest, gone } = JSON.parse(line) as { guest?: { uuid: string }; gone?: string }
    if (guest !== undefined) guests.add(guest.uuid)
    if (gone !== undefined) guests.delete(gone)
  }
  return [...guests]
}

function filesOf(program: ProgramName): string[] {
  switch (program) {
    case 'keystone':
      return ['keystone.conf']
    case 'glance-api':
      return ['glance-api.conf']
    case 'placement-api':
      return ['placement.conf']
    case 'neutron-server':
      return ['neutron.conf', 'ml2_conf.ini']
    case 'neutron-linuxbridge-agent':
      return ['neutron.conf', 'linuxbridge_agent.ini']
    case 'neutron-dhcp-agent':
      return ['neutron.conf', 'dhcp_agent.ini']
    case 'neutron-metadata-agent':
      return ['neutron.conf', 'metadata_agent.ini']
    case 'nova-compute':
      return ['nova-compute.conf']
    default:
      return ['nova.conf']
  }
}
