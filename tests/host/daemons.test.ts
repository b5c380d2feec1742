/** OpenStack's programs as processes of their own, over a real RabbitMQ and the databases of `TEST_DB`, with simulated hosts. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPeople } from '../../src/testing/cloud-people.ts'
import { DaemonCloud, type InstanceName } from '../../src/testing/daemon-cloud.ts'
import { type CloudDatabases, startCloudDatabases } from '../../src/testing/databases/cloud-databases.ts'
import { type FirstThings, makeFirstThings, ok } from '../../src/testing/first-things.ts'
import { Rabbitmq, whyNoRabbitmq } from '../../src/testing/rabbitmq.ts'
import { until } from '../../src/testing/until.ts'

const skip = whyNoRabbitmq()
/** Only against a test that would never end, on a machine that does much else. */
const patience = 180_000

let rabbit: Rabbitmq
let databases: CloudDatabases | undefined
let cloud: DaemonCloud
let first: FirstThings

before(async () => {
  if (skip !== undefined) return
  rabbit = await Rabbitmq.start()
  databases = await startCloudDatabases()
  const where = databases === undefined ? {} : { database: databases.url }
  cloud = await DaemonCloud.prepare({ transportUrl: rabbit.url(), workers: 2, ...where })
})

after(async () => {
  await cloud?.[Symbol.asyncDispose]()
  await rabbit?.[Symbol.asyncDispose]()
  databases?.stop()
})

interface Server {
  id: string
  status: string
  fault?: { message: string }
}

const show = async (id: string): Promise<Server | undefined> => {
  const { status, body } = await cloud.as('alice').compute('GET', `/servers/${id}`)
  return status === 404 ? undefined : ok({ status, body, headers: {} }).server
}

async function boot(): Promise<string> {
  const wish = {
    name: 'server',
    imageRef: first.imageId,
    flavorRef: '1',
    networks: [{ uuid: first.networkId }],
  }
  return ok(await cloud.as('alice').compute('POST', '/servers', { server: wish })).server.id
}

const settled = (id: string): Promise<Server> =>
  until(
    async () => {
      const server = await show(id)
      return server?.status === 'BUILD' ? undefined : server
    },
    `server ${id} to be built`,
    patience,
  )

async function remove(id: string): Promise<void> {
  await cloud.as('alice').compute('DELETE', `/servers/${id}`)
}

const cleared = (): Promise<true> =>
  until(
    async () => ((await cloud.leftovers()).length === 0 ? true : undefined),
    'nothing to be left',
    patience,
  ).catch(async (error) => {
    throw new Error(`${error.message}: ${(await cloud.leftovers()).join(', ')}`)
  })

test('programs that are started in any order wait for what they need, and none ends', { skip }, async () => {
  await rabbit.stop()
  for (const name of cloud.names.toReversed()) cloud.start(name)
  // The agents wait for the broker: each says so, once.
  await until(
    async () =>
      cloud.log('nova-compute@compute1').some(({ msg }) => msg.startsWith('no RabbitMQ')) ? true : undefined,
    'nova-compute to say what it waits for',
    patience,
  )
  await rabbit.start()
  await cloud.untilReady()
  for (const name of cloud.names) assert.ok(cloud.isRunning(name), name)
  const said = cloud.log('nova-compute@compute1').filter(({ msg }) => msg.startsWith('no RabbitMQ'))
  assert.equal(said.length, 1)
})

test('services and agents are listed as in OpenStack, and a server is built and deleted', {
  skip,
}, async () => {
  const admin = cloud.as('admin')
  const { services } = ok(await admin.compute('GET', '/os-services'))
  const rows = services.map(
    (one: Record<string, string>) => `${one['binary']} ${one['host']} ${one['zone']} ${one['state']}`,
  )
  assert.deepEqual(rows.toSorted(), [
    'nova-compute compute1 nova up',
    'nova-compute compute2 nova up',
    'nova-conductor controller internal up',
    'nova-consoleauth controller internal up',
    'nova-scheduler controller internal up',
  ])
  await createPeople(cloud.sends, 'secret')
  first = await makeFirstThings(admin, cloud.as('alice'))
  const ids = [await boot(), await boot()]
  for (const id of ids) assert.equal((await settled(id)).status, 'ACTIVE', JSON.stringify(await show(id)))
  const { output } = ok(
    await cloud.as('alice').compute('POST', `/servers/${ids[0]}/action`, { 'os-getConsoleOutput': {} }),
  )
  assert.match(output, /FAKE CONSOLE OUTPUT/)
  for (const id of ids) await remove(id)
  await cleared()
})

test('a flavor that fits nowhere is told why by the scheduler of another process', { skip }, async () => {
  const wish = { name: 'giant', imageRef: first.imageId, flavorRef: 'giant', networks: 'none' }
  const { server } = ok(await cloud.as('alice').compute('POST', '/servers', { server: wish }))
  const { status, fault } = await settled(server.id)
  assert.equal(status, 'ERROR')
  assert.match(fault!.message, /No valid host was found.*DISK_GB/s)
  await remove(server.id)
  await cleared()
})

test('each program killed while servers come and go: it is back at once, and nothing is stuck or left', {
  skip,
}, async () => {
  for (const name of cloud.names) {
    const building = [await boot(), await boot()]
    await cloud.stop(name, 'SIGKILL')
    cloud.start(name)
    await cloud.untilRunning(name)
    await cloud.untilReady()
    const ends = []
    for (const id of building) ends.push((await settled(id)).status)
    // A service that is away may fail a server, which then says so; it may not leave one in between.
    for (const status of ends) assert.ok(['ACTIVE', 'ERROR'].includes(status), `${name}: ${status}`)
    for (const id of building) await remove(id)
    await cleared()
  }
})

/** Asks again and again on few connections until told to end; gives what was no success. */
function load(
  paths: readonly { api: 'compute' | 'network' | 'placement' | 'image' | 'identity'; path: string }[],
) {
  const failures: string[] = []
  let asked = 0
  let ending = false
  const admin = cloud.as('admin')
  const loops = Array.from({ length: 6 }, async () => {
    while (!ending) {
      for (const { api, path } of paths) {
        try {
          const { status, body } = await admin[api]('GET', path)
          if (status !== 200) failures.push(`GET ${path}: ${status} ${JSON.stringify(body)}`)
        } catch (error) {
          failures.push(`GET ${path}: ${(error as Error).message} ${String((error as Error).cause)}`)
        }
        asked++
      }
    }
  })
  return {
    get asked() {
      return asked
    },
    async end() {
      ending = true
      await Promise.all(loops)
      return failures
    },
  }
}

const apis: readonly [InstanceName, Parameters<typeof load>[0][number]][] = [
  ['keystone', { api: 'identity', path: '/users' }],
  ['glance-api', { api: 'image', path: '/images' }],
  ['placement-api', { api: 'placement', path: '/resource_providers' }],
  ['neutron-server', { api: 'network', path: '/networks' }],
  ['nova-api', { api: 'compute', path: '/servers/detail' }],
]

/** Has a program read its files again. */
async function reload(name: InstanceName): Promise<void> {
  const replaced = () => cloud.log(name).filter(({ msg }) => msg === 'the workers were replaced').length
  const before = replaced()
  cloud.signal(name, 'SIGHUP')
  await until(
    async () => (replaced() > before ? true : undefined),
    `${name} to replace its workers`,
    patience,
  )
}

test('workers are replaced at SIGHUP without a failed request', { skip }, async () => {
  const running = load(apis.map(([, path]) => path))
  for (const [name] of apis) await reload(name)
  // The old workers end once their connections are done with.
  await sleep(5000)
  assert.deepEqual(await running.end(), [])
  assert.ok(running.asked > 0)
})

test('with auth_strategy = noauth2 nova-api believes who callers say they are', { skip }, async () => {
  appendFileSync(join(cloud.directory, 'conf/nova.conf'), '\n[api]\nauth_strategy = noauth2\n')
  await reload('nova-api')
  const as = (token: string) => async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => {
    const headers = { 'x-auth-token': token }
    const { status, body: answer } = await cloud.sends.compute({
      method,
      path: `/v2.1${path}`,
      headers,
      body,
    })
    return { status, server: (answer as { server?: Server & { user_id: string } } | undefined)?.server }
  }
  const project = await cloud.as('alice').projectId()
  const [mine, other, admin] = [as(`ann:${project}`), as('ann:shop'), as('admin')]
  const wish = { name: 's', imageRef: first.imageId, flavorRef: '1', networks: [{ uuid: first.networkId }] }
  // A connection that was there before may be answered once more by an old worker.
  const answers = (status: number) =>
    until(
      async () => ((await mine('GET', '/servers')).status === status ? true : undefined),
      `${status}`,
      patience,
    )
  await answers(200)
  const made = await mine('POST', '/servers', { server: wish })
  assert.equal(made.status, 202)
  const path = `/servers/${made.server?.id}`
  const status = async () => (await mine('GET', path)).server?.status
  await until(async () => ((await status()) === 'ACTIVE' ? true : undefined), 'the server', patience)
  assert.equal((await other('GET', path)).status, 404)
  assert.equal((await other('GET', '/os-services')).status, 403)
  assert.equal((await admin('GET', path)).server?.user_id, 'ann')
  assert.equal((await cloud.sends.compute({ method: 'GET', path: `/v2.1${path}` })).status, 401)
  assert.equal((await mine('DELETE', path)).status, 204)
  await cleared()
  cloud.setWorkers(2)
  await reload('nova-api')
  await answers(401)
})

/** Asks on one connection until the server says that it closes it; gives how often it was answered. */
async function askUntilClosed(url: string, token: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let answered = 1; ; answered++) {
    const closed = await new Promise<boolean>((resolve, reject) => {
      const asked = get(url, { agent, headers: { 'x-auth-token': token } }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`))
        response.resume().once('end', () => resolve(response.headers.connection === 'close'))
      })
      asked.once('error', reject)
    })
    if (closed) return answered
  }
}

test('at SIGTERM a program answers what is asked on the connections it has, then ends', {
  skip,
}, async () => {
  const token = (await cloud.as('admin').token())!
  const urls = {
    keystone: `${cloud.url('identity')}/v3/users`,
    'glance-api': `${cloud.url('image')}/v2/images`,
    'placement-api': `${cloud.url('placement')}/resource_providers`,
    'neutron-server': `${cloud.url('network')}/v2.0/networks`,
    'nova-api': `${cloud.url('compute')}/v2.1/servers/detail`,
  }
  // Identity last: the others ask it.
  for (const [name, url] of Object.entries(urls).toReversed() as [InstanceName, string][]) {
    const loops = Array.from({ length: 6 }, () => askUntilClosed(url, token))
    await sleep(500)
    const [code, answered] = await Promise.all([cloud.stop(name), Promise.all(loops)])
    assert.equal(code, 0, name)
    assert.ok(answered.every((count) => count > 0))
  }
  for (const name of cloud.names) if (cloud.isRunning(name)) assert.equal(await cloud.stop(name), 0, name)
})
