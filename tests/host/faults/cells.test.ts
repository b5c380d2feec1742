/** Two cells, each with a database and a vhost of its own, beneath one API: what is in which, and what one takes along. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../../../src/base/db/database.ts'
import { waitForDatabase } from '../../../src/base/db/wait.ts'
import { silentLogger } from '../../../src/base/log.ts'
import type { CellTables } from '../../../src/compute/store/cell-tables.ts'
import { createPeople } from '../../../src/testing/cloud-people.ts'
import { DaemonCloud } from '../../../src/testing/daemon-cloud.ts'
import { testDialect } from '../../../src/testing/databases/dialect.ts'
import { mariadb } from '../../../src/testing/databases/mariadb.ts'
import { postgresql } from '../../../src/testing/databases/postgresql.ts'
import { type Server as DatabaseServer, startServer } from '../../../src/testing/databases/server.ts'
import { Door, databaseDoor } from '../../../src/testing/door.ts'
import { type FirstThings, makeFirstThings, ok } from '../../../src/testing/first-things.ts'
import { Rabbitmq, whyNoRabbitmq } from '../../../src/testing/rabbitmq.ts'
import { until } from '../../../src/testing/until.ts'

const kind = testDialect === 'postgresql' ? postgresql : mariadb
const programs = kind.find()
const skip = 'missing' in programs ? programs.missing : whyNoRabbitmq()
/** Only against a test that would never end, on a machine that does much else. */
const patience = 180_000
const names = ['keystone', 'glance', 'placement', 'neutron', 'nova_cell0', 'nova', 'nova_api', 'nova_cell2']

const life = new AsyncDisposableStack()
let database: DatabaseServer
let cloud: DaemonCloud
let first: FirstThings
/** The ways to the second cell's database and broker. */
let toDatabase: Door
let toBroker: Door
let cell2Database: string
const cell1 = new Map<string, string>()
const cell2 = new Map<string, string>()

before(async () => {
  if (skip !== undefined) return
  database = startServer(kind)
  life.defer(() => database.stop())
  {
    await using admin = openDatabase(database.url(kind === mariadb ? 'mysql' : 'postgres'))
    await waitForDatabase(admin, silentLogger)
    for (const name of names) await sql`create database ${sql.id(name)}`.execute(admin)
  }
  const rabbit = life.use(await Rabbitmq.start())
  const way = await databaseDoor(database.url('nova_cell2'))
  toDatabase = life.use(way.door)
  cell2Database = way.url
  toBroker = life.use(await Door.open(rabbit.port))
  const transport = rabbit.ownUrl().replace(`:${rabbit.port}/`, `:${toBroker.port}/`)
  cloud = life.use(
    await DaemonCloud.prepare({ transportUrl: rabbit.url(), database: (name) => database.url(name) }),
  )
  const write = (name: string, text: string) => writeFileSync(join(cloud.directory, 'conf', name), text)
  write(
    'cell2.conf',
    `[DEFAULT]\nhost = cell2\ntransport_url = ${transport}\n[api_database]\nconnection =\n[database]\nconnection = ${cell2Database}\n`,
  )
  write('nova-compute@compute2.conf', `[DEFAULT]\ntransport_url = ${transport}\n`)
  for (const name of cloud.names) if (name !== 'nova-compute@compute2') cloud.start(name)
  await cloud.command('nova-manage', 'cell2.conf', 'db', 'sync', '--local_cell')
  const urls = ['--transport-url', transport, '--database_connection', cell2Database]
  await cloud.command('nova-manage', 'nova.conf', 'cell_v2', 'create_cell', '--name', 'cell2', ...urls)
  cloud.start('nova-conductor@cell2')
  cloud.start('nova-compute@compute2')
})

after(() => life.disposeAsync())

interface Server {
  id: string
  name?: string
  status: string
  'OS-EXT-SRV-ATTR:host': string
}

const compute = (version = '2.96') => {
  const admin = cloud.as('admin')
  return (method: 'GET' | 'POST' | 'DELETE' | 'PUT', path: string, body?: unknown) =>
    admin.compute(method, path, body, { 'openstack-api-version': `compute ${version}` })
}

async function boot(name: string, host: string): Promise<string> {
  const wish = {
    name,
    imageRef: first.imageId,
    flavorRef: '1',
    networks: [{ uuid: first.networkId }],
    availability_zone: `nova:${host}`,
  }
  return ok(await compute('2.60')('POST', '/servers', { server: wish })).server.id
}

const reaches = (id: string, wanted: string): Promise<Server> =>
  until(
    async () => {
      const { server } = ok(await compute('2.60')('GET', `/servers/${id}`))
      assert.notEqual(server.status, 'ERROR', JSON.stringify(server.fault))
      return server.status === wanted ? server : undefined
    },
    `server ${id} to be ${wanted}`,
    patience,
  )

const list = async (query = '', version = '2.96'): Promise<Server[]> =>
  ok(await compute(version)('GET', `/servers/detail${query}`)).servers

test('hosts of a second cell are found by discover_hosts', { skip }, async () => {
  await until(
    async () => {
      const said = await cloud.command('nova-manage', 'nova.conf', 'cell_v2', 'discover_hosts', '--verbose')
      return /Creating host mapping for compute host 'compute2'/.test(said) ? true : undefined
    },
    'compute2 to report itself',
    patience,
  )
  await cloud.untilReady()
  const hosts = await cloud.command('nova-manage', 'nova.conf', 'cell_v2', 'list_hosts')
  assert.match(hosts, /\| +cell1 +\|.*\| +compute1 +\|/)
  assert.match(hosts, /\| +cell2 +\|.*\| +compute2 +\|/)
  const { services } = ok(await compute()('GET', '/os-services'))
  const rows = services.map(
    (one: Record<string, string>) => `${one['binary']} ${one['host']} ${one['state']}`,
  )
  for (const row of ['nova-conductor cell2 up', 'nova-conductor controller up', 'nova-compute compute2 up'])
    assert.ok(rows.includes(row), `${row} in ${rows}`)
})

test('servers land in both cells and are one list, in order and in pages', { skip }, async () => {
  await createPeople(cloud.sends, 'secret')
  const admin = cloud.as('admin')
  first = await makeFirstThings(admin, admin)
  for (const [name, host] of [
    ['s1', 'compute1'],
    ['s2', 'compute2'],
    ['s3', 'compute1'],
    ['s4', 'compute2'],
  ] as const) {
    const id = await boot(name, host)
    const into = host === 'compute1' ? cell1 : cell2
    into.set(name, id)
    assert.equal((await reaches(id, 'ACTIVE'))['OS-EXT-SRV-ATTR:host'], host)
  }
  await using db = openDatabase<CellTables>(cell2Database)
  const rows = await db.selectFrom('instances').select('display_name').orderBy('display_name').execute()
  assert.deepEqual(
    rows.map((row) => row.display_name),
    ['s2', 's4'],
  )
  const named = async (query: string) => (await list(query)).map(({ name }) => name).join(' ')
  assert.equal(await named(''), 's4 s3 s2 s1')
  assert.equal(await named('?sort_key=display_name&sort_dir=asc'), 's1 s2 s3 s4')
  const page = '?sort_key=display_name&sort_dir=asc&limit=2'
  assert.equal(await named(page), 's1 s2')
  assert.equal(await named(`${page}&marker=${cell2.get('s2')}`), 's3 s4')
  assert.equal(await named(`?host=compute2`), 's4 s2')
})

test('what is done to a server is done in its cell', { skip }, async () => {
  for (const id of [cell1.get('s1')!, cell2.get('s2')!]) {
    ok(await compute()('POST', `/servers/${id}/action`, { 'os-stop': null }))
    await reaches(id, 'SHUTOFF')
    ok(await compute()('POST', `/servers/${id}/action`, { 'os-start': null }))
    await reaches(id, 'ACTIVE')
    const { output } = ok(await compute()('POST', `/servers/${id}/action`, { 'os-getConsoleOutput': {} }))
    assert.match(output, /FAKE CONSOLE OUTPUT/)
    const body = { metadata: { where: 'here' } }
    assert.deepEqual(ok(await compute()('POST', `/servers/${id}/metadata`, body)), body)
    assert.deepEqual(ok(await compute()('GET', `/servers/${id}/metadata`)), body)
    const { instanceActions } = ok(await compute()('GET', `/servers/${id}/os-instance-actions`))
    const done = instanceActions.map(({ action }: { action: string }) => action)
    assert.deepEqual(done, ['start', 'stop', 'create'])
  }
})

const partial = (servers: readonly Server[]) =>
  servers
    .map(({ id, status }) => `${[...cell1, ...cell2].find(([, of]) => of === id)![0]} ${status}`)
    .toSorted()

/** All that the first cell does while the second is away. */
async function firstCellGoesOn(): Promise<void> {
  const id = await boot('meanwhile', 'compute1')
  await reaches(id, 'ACTIVE')
  ok(await compute()('DELETE', `/servers/${id}`))
  await until(
    async () => ((await compute()('GET', `/servers/${id}`)).status === 404 ? true : undefined),
    'the server to be gone',
    patience,
  )
}

for (const how of ['silent', 'refused'] as const) {
  test(`the other cell goes on while the database of one is ${how}`, { skip }, async (t) => {
    if (how === 'silent') toDatabase.hold()
    else await toDatabase.shut()
    const away = ['s1 ACTIVE', 's2 UNKNOWN', 's3 ACTIVE', 's4 UNKNOWN']
    // The first to ask wait until it is known.
    await until(
      async () => (partial(await list()).join() === away.join() ? true : undefined),
      'the cell to be known as away',
      patience,
    )
    const taken = toDatabase.taken
    const began = performance.now()
    for (let times = 0; times < 100; times++) assert.deepEqual(partial(await list()), away)
    t.diagnostic(`100 lists in ${Math.round(performance.now() - began)} ms`)
    // Only who looks whether it is there again knocks, about once a second for each process.
    assert.ok(toDatabase.taken - taken < 60, `${toDatabase.taken - taken} connections were tried`)
    assert.deepEqual(partial(await list('', '2.68')), ['s1 ACTIVE', 's3 ACTIVE'])
    const id = cell2.get('s2')
    const { server } = ok(await compute()('GET', `/servers/${id}`))
    assert.equal(server.status, 'UNKNOWN')
    assert.equal(server.flavor.vcpus, 1)
    assert.equal((await compute('2.68')('GET', `/servers/${id}`)).status, 503)
    assert.equal((await compute()('POST', `/servers/${id}/action`, { 'os-stop': null })).status, 503)
    const { services } = ok(await compute()('GET', '/os-services?host=compute2'))
    assert.deepEqual(services, [{ binary: 'nova-compute', host: 'compute2', status: 'UNKNOWN' }])
    await firstCellGoesOn()
    if (how === 'silent') toDatabase.letGo()
    else await toDatabase.open()
    await until(
      async () => ((await list()).every(({ status }) => status === 'ACTIVE') ? true : undefined),
      'the cell to be back',
      patience,
    )
    await cloud.untilReady()
  })
}

test('the other cell goes on while the broker of one is silent, and what was asked is done later', {
  skip,
}, async (t) => {
  toBroker.hold()
  const began = performance.now()
  for (let times = 0; times < 20; times++)
    assert.ok((await list()).every(({ status }) => status === 'ACTIVE'))
  t.diagnostic(`20 lists in ${Math.round(performance.now() - began)} ms`)
  const id = cell2.get('s2')!
  ok(await compute()('POST', `/servers/${id}/action`, { reboot: { type: 'HARD' } }))
  await firstCellGoesOn()
  toBroker.letGo()
  await reaches(id, 'ACTIVE')
  await cloud.untilReady()
})

test('servers of both cells are deleted without a trace', { skip }, async () => {
  for (const id of [...cell1.values(), ...cell2.values()]) ok(await compute()('DELETE', `/servers/${id}`))
  await until(
    async () => ((await cloud.leftovers()).length === 0 ? true : undefined),
    'nothing to be left',
    patience,
  ).catch(async (error) => {
    throw new Error(`${error.message}: ${(await cloud.leftovers()).join(', ')}`)
  })
  assert.deepEqual(await list(), [])
})
