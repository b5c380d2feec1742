/**
 * A cloud of OpenStack's programs, each a process of its own, on a MariaDB and a RabbitMQ that it starts, with simulated
 * hosts: `node bench/daemons.ts [--hosts 10] [--boots 400] [--workers 4] [--seconds 8]`. All share this machine.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { sleep } from '../src/base/clock.ts'
import { table } from '../src/cli/terminal/table.ts'
import { DaemonCloud } from '../src/testing/daemon-cloud.ts'
import { startCloudDatabasesOn } from '../src/testing/databases/cloud-databases.ts'
import { durableMariadb } from '../src/testing/databases/mariadb.ts'
import { makeFirstThings, makeNetwork, ok } from '../src/testing/first-things.ts'
import { Rabbitmq } from '../src/testing/rabbitmq.ts'
import { until } from '../src/testing/until.ts'
import { measure } from './load.ts'
import { cpuMilliseconds, familyOf } from './processes.ts'
import { repeatRequest } from './repeat.ts'

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '10' },
    boots: { type: 'string', default: '400' },
    clients: { type: 'string', default: '16' },
    poll: { type: 'string', default: '100' },
    workers: { type: 'string', default: '4' },
    connections: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '8' },
  },
})
const wanted = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)]))
const { hosts = 0, boots = 0, clients = 0, poll = 0, workers = 0, connections = 0, seconds = 0 } = wanted

const load = () => `load average ${loadavg()[0]!.toFixed(1)}`

/** Processor time by program, in milliseconds. */
type Usage = Record<string, number>

await using stack = new AsyncDisposableStack()
const database = await startCloudDatabasesOn(durableMariadb)
stack.defer(() => database.stop())
const rabbit = stack.use(await Rabbitmq.start())
const cloud = stack.use(
  await DaemonCloud.prepare({
    transportUrl: rabbit.url(),
    database: (name) => database.url(name),
    computeHosts: Array.from({ length: hosts }, (_, index) => `compute${index + 1}`),
  }),
)

function usage(): Usage {
  const used: Usage = {}
  const add = (name: string, pids: readonly number[]) => {
    used[name] = pids.reduce((sum, pid) => sum + cpuMilliseconds(pid), used[name] ?? 0)
  }
  for (const name of cloud.names) add(name.split('@')[0]!, familyOf(cloud.pid(name)))
  add('MariaDB', [database.processId()!])
  add('RabbitMQ', [rabbit.processId!])
  const own = process.cpuUsage()
  used['the clients'] = (own.user + own.system) / 1000
  return used
}

/** `nova-api 3.1, MariaDB 0.4 ms`: who worked how long for each of `count`, and all together. */
function shares(before: Usage, after: Usage, count: number): string {
  const each = Object.entries(after).map(([name, used]) => [name, (used - before[name]!) / count] as const)
  const all = each.reduce((sum, [, used]) => sum + used, 0)
  const told = each.filter(([, used]) => used >= all / 100).sort((a, b) => b[1] - a[1])
  return `${all.toFixed(2)} ms: ${told.map(([name, used]) => `${name} ${used.toFixed(2)}`).join(', ')}`
}

async function bootAll(networkId: string, imageId: string): Promise<string[]> {
  const admin = cloud.as('admin')
  const created: string[] = []
  const server = { imageRef: imageId, flavorRef: '1', networks: [{ uuid: networkId }] }
  const before = usage()
  const result = await measure({ clients, count: boots, seconds: 300 }, async (index) => {
    const asked = await admin.compute('POST', '/servers', { server: { ...server, name: `bench-${index}` } })
    const { id } = ok(asked).server
    created.push(id)
    for (;;) {
      const { status } = ok(await admin.compute('GET', `/servers/${id}`)).server
      if (status === 'ACTIVE') return
      if (status === 'ERROR') throw new Error(`server ${id} is in ERROR`)
      await sleep(poll)
    }
  })
  console.log(
    `boots, ${clients} clients that look every ${poll} ms, ${hosts} hosts: ${result.perSecond.toFixed(1)} /s, median ${result.p50.toFixed(0)} ms, ` +
      `${result.errors} errors ${result.firstError ?? ''} (${load()})`,
  )
  console.log(`  processor time of each: ${shares(before, usage(), result.count)}`)
  return created
}

/** Makes nova-api have so many workers, and waits until no other is left. */
async function setWorkers(count: number): Promise<void> {
  cloud.setWorkers(count)
  const done = () => cloud.log('nova-api').filter(({ msg }) => msg === 'the workers were replaced').length
  const before = done()
  cloud.signal('nova-api', 'SIGHUP')
  const isSo = () => done() > before && familyOf(cloud.pid('nova-api')).length === count + 1
  await until(async () => (isSo() ? true : undefined), `${count} workers`, 60_000)
}

async function measureReads(
  reads: Readonly<Record<string, readonly string[]>>,
  rows: string[][],
): Promise<void> {
  const headers = {
    'x-auth-token': (await cloud.as('admin').token())!,
    'openstack-api-version': 'compute 2.96',
    accept: 'application/json',
  }
  const found = new Map<string, number[]>()
  for (const count of [1, workers]) {
    await setWorkers(count)
    for (const [what, paths] of Object.entries(reads)) {
      const url = `${cloud.url('compute')}/v2.1`
      // Until the code is compiled in all workers, of which each has a part of the requests to learn from.
      await repeatRequest({ url, paths, headers, connections, seconds: seconds * count })
      const before = usage()
      const { answers, perSecond, each } = await repeatRequest({ url, paths, headers, connections, seconds })
      found.set(what, [...(found.get(what) ?? []), perSecond])
      console.log(
        `${what}, workers ${count}: ${perSecond.toFixed(0)} /s, each connection ${Math.min(...each)} to ` +
          `${Math.max(...each)} answers (${load()})`,
      )
      console.log(`  processor time of each: ${shares(before, usage(), answers)}`)
    }
  }
  for (const [what, [one = 0, many = 0]] of found)
    rows.push([what, `${one.toFixed(0)} /s`, `${many.toFixed(0)} /s`, `${(many / one).toFixed(2)}`])
}

cloud.startAll()
await cloud.untilReady()
const admin = cloud.as('admin')
const quota = { instances: -1, cores: -1, ram: -1 }
const project = await admin.projectId()
ok(await admin.compute('PUT', `/os-quota-sets/${project}`, { quota_set: quota }))
ok(await admin.network('PUT', `/quotas/${project}`, { quota: { port: -1 } }))
const { imageId } = await makeFirstThings(admin, admin)
const { networkId } = await makeNetwork(admin, '10.200.0.0/16')
const created = await bootAll(networkId, imageId)
const rows: string[][] = []
const reads = {
  'GET /servers/{id}': created.map((id) => `/servers/${id}`),
  [`GET /servers, all ${created.length}`]: ['/servers'],
  'GET /servers/detail?limit=100': ['/servers/detail?limit=100'],
  [`GET /servers/detail, all ${created.length}`]: ['/servers/detail'],
}
await measureReads(reads, rows)
console.log(table(['what', '1 worker', `${workers} workers`, 'times'], rows))
