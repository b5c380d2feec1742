/** For tests: a conductor with two simulated hosts, placement in this process, and a network that only remembers ports. */
import type { Kysely } from 'kysely'
import { testDatabase } from '#testing/databases/test-database.ts'
import { createMemoryBus } from '../../base/bus/memory.ts'
import { rpcClient } from '../../base/bus/rpc.ts'
import { openDatabase } from '../../base/db/database.ts'
import { type Migration, migrate } from '../../base/db/migrate.ts'
import { newRequestId, newUuid } from '../../base/ids.ts'
import { silentLogger } from '../../base/log.ts'
import { placementWorld } from '../../placement/world.ts'
import { startAgents } from '../agent/start-agents.ts'
import { type Cells, ensureCells, openCells } from '../cells/open-cells.ts'
import { agentRpc } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import type { OperationName } from '../rpc/operations.ts'
import { requestBuilds, requestDelete, requestOperation } from '../rpc/request-work.ts'
import { createHostDirectory } from '../scheduler/host-directory.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { Flavor } from '../store/flavors.ts'
import type { InstanceRow, NewInstance } from '../store/instance-records.ts'
import { findInstance, getInstance } from '../store/instances.ts'
import { apiMigrations, cellMigrations } from '../store/migrations/list.ts'
import type { RequestSpec } from '../store/request-specs.ts'
import { FakeDriver } from '../virt/fake/driver.ts'
import { FakeNetwork } from './fake-network.ts'
import { type Conductor, type ConductorOptions, startConductor } from './start-conductor.ts'

export interface ServerWish {
  name?: string
  memoryMb?: number
  changes?: Partial<RequestSpec>
}

const flavorOf = (memoryMb: number): Flavor => ({
  id: 1,
  flavorid: '1',
  name: 'm1.tiny',
  memory_mb: memoryMb,
  vcpus: 1,
  root_gb: 1,
  ephemeral_gb: 0,
  swap: 0,
  rxtx_factor: 1,
  disabled: 0,
  is_public: 1,
  description: null,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: null,
  extra_specs: {},
})

const requester = () => ({ requestId: newRequestId(), userId: 'user', projectId: 'project' })

/** Starts it all; `await using` ends it. */
export async function computeWorld(options: Partial<ConductorOptions> = {}) {
  const life = new AsyncDisposableStack()
  const placement = life.use(await placementWorld())
  const database = async (migrations: readonly Migration[]) => life.use(await testDatabase(migrations)).url
  const apiDb = openDatabase<ApiTables>(await database(apiMigrations))
  life.defer(() => apiDb.destroy())
  await migrate(apiDb, apiMigrations)
  await ensureCells(apiDb, {
    cell0: await database(cellMigrations),
    cell1: await database(cellMigrations),
  })
  const cells = life.use(await openCells(apiDb, { log: silentLogger }))
  const bus = createMemoryBus()
  life.defer(() => bus.close())
  const network = new FakeNetwork()
  const directory = createHostDirectory({
    apiDb,
    cells: cells.withHosts,
    serviceDownSeconds: 60,
    defaultAvailabilityZone: 'nova',
  })
  const agents = rpcClient(bus, agentRpc)
  const scheduler = createScheduler({
    apiDb,
    cells: cells.withHosts,
    placement: placement.client,
    directory,
  })
  const start = (): Promise<Conductor> =>
    startConductor({
      host: 'controller',
      apiDb,
      cells,
      cell: cells.withHosts()[0]!,
      bus,
      agents: () => agents,
      scheduler,
      directory,
      placement: placement.client,
      network: network.client,
      log: silentLogger,
      alone: true,
      ...options,
    })
  const conductor = life.use(await start())
  const drivers = new Map(['host1', 'host2'].map((host) => [host, new FakeDriver({ host, memoryMb: 8192 })]))
  const hosts = [...drivers].map(([host, driver]) => ({ host, driver, hostIp: '127.0.0.1' }))
  const images = { download: async () => undefined }
  const startHosts = () => startAgents({ hosts, bus, images, log: silentLogger })
  let running = await startHosts()
  life.defer(() => running[Symbol.asyncDispose]())
  await conductor.flows.start()
  network.onBound = (portId) => conductor.deps.vifs.plugged(portId, true)
  const work = { apiDb, conductor: rpcClient(bus, conductorRpc) }
  const dbs = { apiDb, cells }
  const runToEnd = (uuid: string) => conductor.flows.runToEnd(`server:${uuid}`)

  return {
    apiDb,
    cells,
    network,
    placement,
    conductor,
    drivers,
    work,
    runToEnd,
    /** Writes what the API writes, and waits for nothing. */
    async ask(wish: ServerWish = {}): Promise<string> {
      const build = newBuild(wish, network.networkId)
      await requestBuilds(work, [build], requester())
      return build.instance.row.uuid
    },
    async create(wish: ServerWish = {}): Promise<string> {
      const build = newBuild(wish, network.networkId)
      await requestBuilds(work, [build], requester())
      await runToEnd(build.instance.row.uuid)
      return build.instance.row.uuid
    },
    async remove(uuid: string): Promise<void> {
      await requestDelete(work, await getInstance(dbs, uuid), requester())
      await runToEnd(uuid)
    },
    async operate(uuid: string, operation: OperationName): Promise<void> {
      await requestOperation(work, await getInstance(dbs, uuid), operation, requester())
      await runToEnd(uuid)
    },
    /** The agents of all hosts end, so long ago that the hosts count as down. */
    async stopHosts(): Promise<void> {
      await running[Symbol.asyncDispose]()
      for (const { db } of cells.withHosts())
        await db.updateTable('services').set({ last_seen_up: '2000-01-01T00:00:00.000Z' }).execute()
      directory.forget()
    },
    async startHosts(): Promise<void> {
      running = await startHosts()
    },
    show: (uuid: string) => getInstance(dbs, uuid),
    find: (uuid: string) => findInstance(dbs, uuid),
    /** Everything a server holds anywhere; empty when nothing of it is left. */
    leftovers: (uuid: string) => leftoversOf(uuid, { apiDb, cells, network, placement, drivers }),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

export type ComputeWorld = Awaited<ReturnType<typeof computeWorld>>

/** What the API makes of a request. */
export function newBuild(wish: ServerWish, networkId: string): { instance: NewInstance; spec: RequestSpec } {
  const uuid = newUuid()
  const flavor = flavorOf(wish.memoryMb ?? 512)
  const name = wish.name ?? 'server'
  const row: InstanceRow = {
    id: 0,
    uuid,
    user_id: 'user',
    project_id: 'project',
    image_ref: 'image',
    launch_index: 0,
    key_name: null,
    key_data: null,
    power_state: 0,
    vm_state: 'building',
    task_state: 'scheduling',
    memory_mb: flavor.memory_mb,
    vcpus: flavor.vcpus,
    root_gb: flavor.root_gb,
    ephemeral_gb: 0,
    hostname: name,
    host: null,
    node: null,
    launched_on: null,
    user_data: null,
    reservation_id: 'r-12345678',
    launched_at: null,
    terminated_at: null,
    availability_zone: null,
    display_name: name,
    display_description: null,
    locked: 0,
    locked_by: null,
    config_drive: '',
    progress: 0,
    auto_disk_config: 1,
    access_ip_v4: null,
    access_ip_v6: null,
    root_device_name: '/dev/vda',
    flow_id: null,
    created_at: new Date().toISOString(),
    updated_at: null,
    deleted_at: null,
    deleted: 0,
  }
  const spec: RequestSpec = {
    instanceUuid: uuid,
    projectId: 'project',
    userId: 'user',
    numInstances: 1,
    image: {
      id: 'image',
      name: 'image',
      diskFormat: 'qcow2',
      containerFormat: 'bare',
      size: 1,
      minDiskGb: 0,
      minRamMb: 0,
      properties: {},
    },
    flavor,
    availabilityZone: null,
    forceHost: null,
    forceNode: null,
    requestedHost: null,
    requestedNode: null,
    ignoreHosts: [],
    schedulerHints: {},
    groupUuid: null,
    networks: [{ networkId, portId: null, fixedIp: null, tag: null }],
    securityGroupIds: [],
    personality: [],
    ...wish.changes,
  }
  const parts = { keypairs: [], trustedCerts: null, metadata: {}, systemMetadata: {}, tags: [] }
  return { instance: { row, flavor, ...parts }, spec }
}

interface Held {
  apiDb: Kysely<ApiTables>
  cells: Cells
  network: FakeNetwork
  placement: Awaited<ReturnType<typeof placementWorld>>
  drivers: ReadonlyMap<string, FakeDriver>
}

async function leftoversOf(uuid: string, { apiDb, network, placement, drivers }: Held): Promise<string[]> {
  const found: string[] = []
  for (const [host, driver] of drivers) {
    if ((await driver.guestState(uuid)) !== undefined) found.push(`guest on ${host}`)
  }
  for (const port of network.ports.values()) if (port.deviceId === uuid) found.push(`port ${port.id}`)
  const { allocations } = await placement.client.getAllocations(uuid)
  if (Object.keys(allocations).length > 0) found.push('allocations')
  const flows = await apiDb
    .selectFrom('flows')
    .select('kind')
    .where('subject', '=', `server:${uuid}`)
    .execute()
  for (const { kind } of flows) found.push(`flow ${kind}`)
  const request = await apiDb
    .selectFrom('build_requests')
    .select('id')
    .where('instance_uuid', '=', uuid)
    .executeTakeFirst()
  if (request !== undefined) found.push('build request')
  return found
}
