import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../base/db/database.ts'
import type { ComputeApiConfig } from '../../config.ts'
import { deleteBuildRequest } from '../../store/build-requests.ts'
import type { CellTables } from '../../store/cell-tables.ts'
import { saveHostMapping } from '../../store/cells.ts'
import { setInstanceCell, setQueuedForDelete } from '../../store/instance-mappings.ts'
import { imageId, makeCloud } from '../testing/cloud.ts'

/** A cloud with a second cell that is away, one server in each and one, of the cell that is away, being deleted. */
async function makeHalf(settings: Partial<ComputeApiConfig> = {}) {
  await using life = new AsyncDisposableStack()
  const cloud = life.use(await makeCloud(settings))
  const known = await cloud.create({ name: 'known' })
  await cloud.settle(known)
  // Nothing listens on port 1.
  const db = life.use(openDatabase<CellTables>('mysql+pymysql://nova:nova@127.0.0.1:1/nova_cell2'))
  const down = { id: 3, uuid: 'c2', name: 'cell2', db }
  cloud.deps.cells = { all: async () => [cloud.cell0, cloud.cell1, down] }
  const lose = async (name: string, options: { as?: string } = {}) => {
    const id = await cloud.create({ name }, options)
    await setInstanceCell(cloud.deps.apiDb, id, down.id)
    await deleteBuildRequest(cloud.deps.apiDb, id)
    return id
  }
  const unknown = await lose('unknown')
  const going = await lose('going')
  await setQueuedForDelete(cloud.deps.apiDb, going, true)
  const others = await lose('others', { as: 'stranger' })
  await saveHostMapping(cloud.deps.apiDb, 'h2', down.id)
  const whole = life.move()
  return { cloud, known, unknown, going, others, [Symbol.asyncDispose]: () => whole.disposeAsync() }
}

const ids = (body: { servers: { id: string }[] }) => body.servers.map(({ id }) => id)

test('a cell that cannot be reached takes along what is in it and nothing else', async () => {
  await using half = await makeHalf()
  const { cloud, known, unknown } = half
  for (const path of ['/servers', '/servers/detail', '/os-services', '/os-hypervisors/detail']) {
    const { status } = await cloud.call(`GET ${path}`, { as: 'admin', version: '2.53' })
    assert.equal(status, 200, path)
  }
  assert.deepEqual(ids((await cloud.call('GET /servers', { version: '2.68' })).body), [known])
  const shown = await cloud.call(`GET /servers/${unknown}`, { version: '2.68' })
  assert.equal(shown.status, 503)
  const message = 'Cell c2 is not responding, hence instance info is not available.'
  assert.deepEqual(shown.body, { serviceUnavailable: { code: 503, message } })
  const other = await cloud.call(`DELETE /servers/${unknown}`, { version: '2.96' })
  assert.equal(other.status, 503)
  assert.equal((await cloud.call(`DELETE /servers/${known}`, { version: '2.96' })).status, 204)
})

test('since 2.69 lists show what is known of the servers of a cell that is away', async () => {
  await using half = await makeHalf()
  const { cloud, known, unknown, others } = half
  for (const version of ['2.69', '2.96']) {
    const { body } = await cloud.call('GET /servers', { version })
    assert.deepEqual(ids(body), [unknown, known])
    const links = [
      { rel: 'self', href: `http://cloud:8774/v2.1/servers/${unknown}` },
      { rel: 'bookmark', href: `http://cloud:8774/servers/${unknown}` },
    ]
    assert.deepEqual(body.servers[0], { id: unknown, status: 'UNKNOWN', links })
    const detail = (await cloud.call('GET /servers/detail', { version })).body
    assert.deepEqual(ids(detail), [unknown, known])
    const { created, ...rest } = detail.servers[0]
    assert.match(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.deepEqual(rest, { id: unknown, status: 'UNKNOWN', tenant_id: 'p1', links })
  }
  const everywhere = await cloud.call('GET /servers?all_tenants=1', { as: 'admin', version: '2.69' })
  assert.deepEqual(ids(everywhere.body), [unknown, others, known])
})

test('lists that are filtered, sorted or in pages leave out what they cannot tell', async () => {
  await using half = await makeHalf()
  const { cloud, known } = half
  const version = '2.69'
  for (const query of ['name=known', 'sort_key=uuid', 'sort_dir=asc', 'limit=5'])
    assert.deepEqual(ids((await cloud.call(`GET /servers?${query}`, { version })).body), [known], query)
  // What the caller may not filter by is no filter.
  const { body } = await cloud.call('GET /servers?host=h1', { version })
  assert.deepEqual(ids(body), [half.unknown, known])
})

test('with list_records_by_skipping_down_cells off, lists fail where they cannot say that a server is unknown', async () => {
  await using half = await makeHalf({ skipsDownCells: false })
  const { cloud, unknown, known } = half
  for (const [query, version] of [
    ['', '2.68'],
    ['?limit=5', '2.69'],
  ] as const) {
    const { status, body } = await cloud.call(`GET /servers${query}`, { version })
    assert.equal(status, 503)
    assert.match(body.serviceUnavailable.message, /Cell c2 is not responding but configuration/)
  }
  assert.deepEqual(ids((await cloud.call('GET /servers', { version: '2.69' })).body), [unknown, known])
})

test('since 2.69 a server of a cell that is away is shown with what was asked for', async () => {
  await using half = await makeHalf()
  const { cloud, unknown, going, others } = half
  const { status, body } = await cloud.call(`GET /servers/${unknown}`, { version: '2.69' })
  assert.equal(status, 200)
  const { created: _created, links: _links, ...rest } = body.server
  const bookmark = { rel: 'bookmark', href: `http://cloud:8774/images/${imageId}` }
  const expected = {
    id: unknown,
    status: 'UNKNOWN',
    tenant_id: 'p1',
    user_id: 'u-member',
    image: { id: imageId, links: [bookmark] },
    flavor: {
      vcpus: 1,
      ram: 512,
      disk: 1,
      ephemeral: 0,
      swap: 0,
      original_name: 'm1',
      extra_specs: {},
    },
    'OS-EXT-AZ:availability_zone': 'UNKNOWN',
    'OS-EXT-STS:power_state': 0,
  }
  assert.deepEqual(rest, expected)
  for (const version of ['2.71', '2.96'])
    assert.deepEqual(
      Object.keys((await cloud.call(`GET /servers/${unknown}`, { version })).body.server).toSorted(),
      [...Object.keys(body.server), 'server_groups'].toSorted(),
    )
  for (const id of [going, others])
    assert.equal((await cloud.call(`GET /servers/${id}`, { version: '2.69' })).status, 404)
})

test('since 2.69 the compute services of a cell that is away are unknown', async () => {
  await using half = await makeHalf()
  const { cloud } = half
  const services = async (query: string, version: string) => {
    const reply = await cloud.call(`GET /os-services${query}`, { as: 'admin', version })
    return reply.body.services
  }
  const unknown = { binary: 'nova-compute', host: 'h2', status: 'UNKNOWN' }
  assert.deepEqual(await services('', '2.68'), [])
  assert.deepEqual(await services('', '2.69'), [unknown])
  assert.deepEqual(await services('?host=h2&binary=nova-compute', '2.69'), [unknown])
  assert.deepEqual(await services('?host=h1', '2.69'), [])
  assert.deepEqual(await services('?binary=nova-conductor', '2.69'), [])
})

test('members of a server group are still shown when their cell is away', async () => {
  await using half = await makeHalf()
  const { cloud } = half
  const server_group = { name: 'g', policy: 'anti-affinity' }
  const group = (await cloud.call('POST /os-server-groups', { version: '2.64', body: { server_group } })).body
  const { id } = group.server_group
  const hints = { 'os:scheduler_hints': { group: id } }
  const body = { server: { name: 'm', flavorRef: 'm1', imageRef: imageId, networks: 'none' }, ...hints }
  const made = await cloud.call('POST /servers', { version: '2.64', body })
  const member = made.body.server.id
  await setInstanceCell(cloud.deps.apiDb, member, 3)
  await deleteBuildRequest(cloud.deps.apiDb, member)
  const members = async () =>
    (await cloud.call(`GET /os-server-groups/${id}`, { version: '2.64' })).body.server_group.members
  assert.deepEqual(await members(), [member])
  assert.deepEqual(
    (await cloud.call(`GET /servers/${member}`, { version: '2.71' })).body.server.server_groups,
    [id],
  )
  await setQueuedForDelete(cloud.deps.apiDb, member, true)
  assert.deepEqual(await members(), [])
})
