/** Many requests at the same time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok } from '../../src/testing/first-things.ts'
import { until } from '../../src/testing/until.ts'
import { startWorld, type World } from '../../src/testing/world.ts'

const wish = (world: World, name: string, more: object = {}) => ({
  server: {
    name,
    imageRef: world.imageId,
    flavorRef: '1',
    networks: [{ uuid: world.networkId }],
    ...more,
  },
})

const gone = (world: World, id: string) =>
  until(
    async () =>
      (await world.as('alice').compute('GET', `/servers/${id}`)).status === 404 ? true : undefined,
    `server ${id} to go`,
  )

test('as many servers at once as the quota allows are all built, each with an address of its own', async () => {
  await using world = await startWorld()
  const { compute } = world.as('alice')
  const asked = await Promise.all(
    Array.from({ length: 14 }, (_, index) => compute('POST', '/servers', wish(world, `s${index}`))),
  )
  const made = asked.filter(({ status }) => status === 202)
  assert.equal(made.length, 10)
  assert.ok(asked.every(({ status }) => status === 202 || status === 403))
  const ids: string[] = made.map(({ body }) => body.server.id)
  const servers = await Promise.all(ids.map((id) => world.settled('alice', id)))
  assert.deepEqual(
    servers.map(({ status }) => status),
    ids.map(() => 'ACTIVE'),
  )
  const addresses = servers.map(({ addresses }) => addresses['private']![0]!.addr)
  assert.equal(new Set(addresses).size, 10)
  const { absolute } = ok(await compute('GET', '/limits')).limits
  assert.deepEqual([absolute.totalInstancesUsed, absolute.totalRAMUsed], [10, 5120])
  await Promise.all(ids.map((id) => compute('DELETE', `/servers/${id}`)))
  for (const id of ids) {
    await gone(world, id)
    assert.deepEqual(await world.leftovers(id), [])
  }
  assert.equal(ok(await compute('GET', '/limits')).limits.absolute.totalInstancesUsed, 0)
})

test('servers that are deleted while they are built, twice at once, leave nothing', async () => {
  await using world = await startWorld()
  const { compute } = world.as('alice')
  const { body } = await compute(
    'POST',
    '/servers',
    wish(world, 'many', { min_count: 8, return_reservation_id: true }),
  )
  const query = `/servers/detail?reservation_id=${body.reservation_id}`
  const ids: string[] = ok(await compute('GET', query)).servers.map(({ id }: { id: string }) => id)
  assert.equal(ids.length, 8)
  const statuses = await Promise.all(
    [...ids, ...ids].map(async (id) => (await compute('DELETE', `/servers/${id}`)).status),
  )
  assert.ok(
    statuses.every((status) => status === 204 || status === 404),
    statuses.join(' '),
  )
  for (const id of ids) {
    await gone(world, id)
    assert.deepEqual(await world.leftovers(id), [])
  }
})

test('a host without room is passed over, and the last place goes to one server only', async () => {
  await using world = await startWorld({ hosts: 2 })
  const admin = world.as('admin')
  const flavor = { id: 'half', name: 'half', ram: 16, vcpus: 1, disk: 2100 }
  ok(await admin.compute('POST', '/flavors', { flavor }))
  const asked = await Promise.all(
    Array.from({ length: 3 }, (_, index) =>
      admin.compute('POST', '/servers', wish(world, `big${index}`, { flavorRef: 'half', networks: 'none' })),
    ),
  )
  const servers = await Promise.all(asked.map((reply) => world.settled('admin', ok(reply).server.id)))
  const hosts = servers.map((server) => server['OS-EXT-SRV-ATTR:host'])
  assert.deepEqual(servers.map(({ status }) => status).sort(), ['ACTIVE', 'ACTIVE', 'ERROR'])
  assert.deepEqual(hosts.filter((host) => host !== null).sort(), ['host-1', 'host-2'])
  const failed = servers.find(({ status }) => status === 'ERROR')!
  assert.match(failed.fault!.message, /DISK_GB|No valid host/)
})
