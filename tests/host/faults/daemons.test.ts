/** Every program, the message queue and the database are killed in turn while servers are being created and deleted. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { sleep } from '../../../src/base/clock.ts'
import { openDatabase } from '../../../src/base/db/database.ts'
import { waitForDatabase } from '../../../src/base/db/wait.ts'
import { silentLogger } from '../../../src/base/log.ts'
import type { ApiName } from '../../../src/cli/admin-client.ts'
import type { ProgramName } from '../../../src/cli/config/programs.ts'
import type { ApiTables } from '../../../src/compute/store/api-tables.ts'
import { DaemonCloud, type InstanceName } from '../../../src/testing/daemon-cloud.ts'
import { lastingMariadb } from '../../../src/testing/databases/mariadb.ts'
import { type Server as DatabaseServer, startServer } from '../../../src/testing/databases/server.ts'
import { makeFirstThings, ok } from '../../../src/testing/first-things.ts'
import { Rabbitmq, whyNoRabbitmq } from '../../../src/testing/rabbitmq.ts'
import { type HostHoldings, listServers } from './holdings.ts'
import { killInTurn, type Scene, seconds, untilAlive, type Victim } from './kill-in-turn.ts'
import { Load } from './load.ts'
import { assertInOrder, deleteAll } from './settle.ts'
import { readGuestJournal } from './simulated-guests.ts'

const mariadb = lastingMariadb.find()
const skip = 'missing' in mariadb ? mariadb.missing : whyNoRabbitmq()
/** What happens between two faults. */
const breathMilliseconds = 1500

const names = ['keystone', 'glance', 'placement', 'neutron', 'nova_cell0', 'nova', 'nova_api']

async function createDatabases(server: DatabaseServer): Promise<void> {
  await using admin = openDatabase(server.url('mysql'))
  await waitForDatabase(admin, silentLogger)
  for (const name of names) await sql`create database ${sql.id(name)}`.execute(admin)
}

/** What the simulated hosts hold, as their files say. */
function holdingsOf(cloud: DaemonCloud): Record<string, HostHoldings> {
  return Object.fromEntries(
    cloud.computeHosts.map((host) => {
      const journal = join(cloud.directory, 'nova/instances/simulated', host, 'guests')
      const taps = readdirSync(join(cloud.directory, 'simulated', host, 'taps'))
      return [host, { guests: readGuestJournal(journal), taps }]
    }),
  )
}

async function openWork(database: DatabaseServer): Promise<string[]> {
  await using db = openDatabase<ApiTables>(database.url('nova_api'))
  const flows = await db.selectFrom('flows').select(['kind', 'subject']).execute()
  const requests = await db.selectFrom('build_requests').select('instance_uuid').execute()
  return [
    ...flows.map(({ kind, subject }) => `flow ${kind} of ${subject}`),
    ...requests.map(({ instance_uuid }) => `build request of ${instance_uuid}`),
  ]
}

/** Those of a row are killed one after the other, the rows at the same time. */
const rows: readonly (readonly ProgramName[])[] = [
  ['keystone', 'glance-api', 'placement-api', 'nova-api'],
  ['nova-conductor', 'nova-scheduler', 'nova-consoleauth', 'nova-compute'],
  ['neutron-server', 'neutron-dhcp-agent', 'neutron-metadata-agent', 'neutron-linuxbridge-agent'],
]

const apis: Partial<Record<ProgramName, ApiName>> = {
  keystone: 'identity',
  'glance-api': 'image',
  'placement-api': 'placement',
  'nova-api': 'compute',
  'neutron-server': 'network',
}

function rowsOf(cloud: DaemonCloud): Victim[][] {
  const programOf = (name: InstanceName) => name.split('@')[0] as ProgramName
  const all = rows.map((row) => row.flatMap((one) => cloud.names.filter((name) => programOf(name) === one)))
  assert.deepEqual(new Set(all.flat()), new Set(cloud.names), 'every program has its turn')
  return all.map((names) => names.map((name) => victimOf(cloud, name)))
}

function victimOf(cloud: DaemonCloud, name: InstanceName): Victim {
  const [program, at] = name.split('@') as [ProgramName, string | undefined]
  return {
    name,
    async kill() {
      await cloud.stop(name, 'SIGKILL')
      await sleep(breathMilliseconds)
      const since = new Date()
      cloud.start(name)
      return since
    },
    api: apis[program],
    who: (binary, host) => binary === program && (at === undefined || host === at),
  }
}

/** Hosts reach the database through messages alone: when they have reported, both serve again. */
async function restarted(scene: Scene, what: string): Promise<void> {
  const since = new Date()
  await untilAlive(scene, what, (binary) => binary === 'nova-compute', since)
  scene.t.diagnostic(`${what}: all are alive after ${seconds(since)}`)
}

test('whatever is killed, nothing is stuck, doubled or leaked, and all are alive again', {
  skip,
}, async (t) => {
  await using stack = new AsyncDisposableStack()
  const database = startServer(lastingMariadb)
  stack.defer(() => database.stop())
  const rabbit = stack.use(await Rabbitmq.start())
  await createDatabases(database)
  const cloud = stack.use(
    await DaemonCloud.prepare({ transportUrl: rabbit.url(), database: (name) => database.url(name) }),
  )
  cloud.startAll()
  await cloud.untilReady()
  const admin = cloud.as('admin')
  const { imageId, networkId } = await makeFirstThings(admin, admin)
  const quota = { instances: -1, cores: -1, ram: -1 }
  ok(await admin.compute('PUT', `/os-quota-sets/${await admin.projectId()}`, { quota_set: quota }))
  const load = stack.use(new Load({ person: admin, imageId, networkId, flavorId: '1', servers: 20 }))
  await sleep(2 * breathMilliseconds)
  const scene: Scene = { t, admin, sends: cloud.sends, cutOff: new Set() }
  await Promise.all(rowsOf(cloud).map((row) => killInTurn(scene, row)))
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await rabbit.stop(signal)
    await sleep(breathMilliseconds)
    await rabbit.start()
    await restarted(scene, `${signal} of RabbitMQ`)
    await database.end(signal)
    await sleep(breathMilliseconds)
    database.start()
    await restarted(scene, `${signal} of MariaDB`)
  }
  const brokenLast = new Date()
  await load.stop()
  t.diagnostic(`${load.created} created, ${load.deleted} deleted, ${load.refused} requests refused`)
  const rested = {
    admin,
    openWork: () => openWork(database),
    holdings: async () => holdingsOf(cloud),
  }
  await assertInOrder(rested)
  await untilAlive(scene, 'all that', () => true, brokenLast)
  const servers = await listServers(admin)
  t.diagnostic(`${servers.filter(({ status }) => status === 'ERROR').length} of ${servers.length} in ERROR`)
  await deleteAll(admin)
  await assertInOrder(rested)
  assert.deepEqual([...load.bugs], [])
})
