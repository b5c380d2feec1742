/** The life of servers on simulated hosts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok } from '../../src/testing/first-things.ts'
import { startWorld, type World } from '../../src/testing/world.ts'

test('a server boots ACTIVE with an address, and its delete leaves nothing', async () => {
  await using world = await startWorld()
  const server = await world.boot('alice', { name: 'web' })
  assert.deepEqual(
    [server.status, server['OS-EXT-STS:vm_state'], server['OS-EXT-STS:power_state'], server.name],
    ['ACTIVE', 'active', 1, 'web'],
    JSON.stringify(server.fault),
  )
  const [address] = server.addresses['private']!
  assert.match(address!.addr, /^10\.1\.0\.\d+$/)
  const { ports } = ok(await world.as('admin').network('GET', `/ports?device_id=${server.id}`))
  assert.deepEqual(
    [ports[0].status, ports[0].mac_address, ports[0].device_owner],
    ['ACTIVE', address!['OS-EXT-IPS-MAC:mac_addr'], 'compute:nova'],
  )
  const host = world.hosts.find((each) => each.host === ports[0]['binding:host_id'])!
  assert.equal((await host.driver.guestState(server.id))?.power, 'running')
  assert.ok((await host.network.links()).has(`tap${ports[0].id.slice(0, 11)}`))
  assert.notDeepEqual(await world.leftovers(server.id), [])
  const { instanceActions } = ok(
    await world.as('alice').compute('GET', `/servers/${server.id}/os-instance-actions`),
  )
  assert.deepEqual(
    instanceActions.map(({ action }: { action: string }) => action),
    ['create'],
  )
  await world.remove('alice', server.id)
  assert.deepEqual(await world.leftovers(server.id), [])
})

test('a server that no hypervisor can spawn is in ERROR with the reason, and can be deleted', async () => {
  await using world = await startWorld()
  const server = await world.boot('alice', { flavorRef: 'fail' })
  assert.equal(server.status, 'ERROR')
  assert.match(server.fault!.message, /Build of instance .* failed: The simulated hypervisor of host-[12]/)
  const held = await world.leftovers(server.id)
  assert.ok(
    held.every((what) => what.startsWith('instance in')),
    held.join(', '),
  )
  await world.remove('alice', server.id)
  assert.deepEqual(await world.leftovers(server.id), [])
})

test('a flavor that fits nowhere says which resource of which host refused it', async () => {
  await using world = await startWorld()
  const server = await world.boot('alice', { flavorRef: 'giant' })
  assert.equal(server.status, 'ERROR')
  assert.match(server.fault!.message, /No valid host was found/)
  assert.match(server.fault!.message, /host-1, host-2.*DISK_GB/)
  const zone = await world.boot('alice', { availability_zone: 'nova:host-1' }).catch((error: Error) => error)
  assert.ok(zone instanceof Error, 'only an administrator may choose a host')
  await world.remove('alice', server.id)
  assert.deepEqual(await world.leftovers(server.id), [])
})

test('a server is stopped, started, rebooted and renamed, and an action that its state forbids is a 409', async () => {
  await using world = await startWorld()
  const { id } = await world.boot('alice')
  const { compute } = world.as('alice')
  const act = async (action: object) => (await compute('POST', `/servers/${id}/action`, action)).status
  const status = async () => (await world.settled('alice', id)).status
  assert.equal(await act({ 'os-stop': null }), 202)
  assert.equal(await status(), 'SHUTOFF')
  assert.equal(await act({ 'os-stop': null }), 409)
  assert.equal(await act({ 'os-start': null }), 202)
  assert.equal(await status(), 'ACTIVE')
  for (const type of ['SOFT', 'HARD']) {
    assert.equal(await act({ reboot: { type } }), 202)
    assert.equal(await status(), 'ACTIVE')
  }
  const renamed = await compute('PUT', `/servers/${id}`, { server: { name: 'other' } })
  assert.deepEqual([renamed.status, renamed.body.server.name], [200, 'other'])
  const { output } = ok(await compute('POST', `/servers/${id}/action`, { 'os-getConsoleOutput': {} }))
  assert.match(output, /LAST LINE/)
  const { instanceActions } = ok(await compute('GET', `/servers/${id}/os-instance-actions`))
  assert.deepEqual(
    instanceActions.map(({ action }: { action: string }) => action),
    ['reboot', 'reboot', 'start', 'stop', 'create'],
  )
})

test('a create that names what is not there, or is wrong, is refused and makes nothing', async () => {
  await using world = await startWorld()
  const { compute } = world.as('alice')
  const unknown = '00000000-0000-0000-0000-000000000001'
  const good = {
    name: 'x',
    imageRef: world.imageId,
    flavorRef: '1',
    networks: [{ uuid: world.networkId }] as unknown,
  }
  const queued = ok(
    await world.as('alice').image('POST', '/images', { disk_format: 'raw', container_format: 'bare' }),
  )
  const cases: [what: string, change: object, status?: number][] = [
    ['image', { imageRef: unknown }],
    ['an image without data', { imageRef: queued.id }],
    ['flavor', { flavorRef: 'none' }],
    ['network', { networks: [{ uuid: unknown }] }],
    ['port', { networks: [{ port: unknown }] }],
    ['key', { key_name: 'none' }],
    ['security group', { security_groups: [{ name: 'none' }] }],
    ['zone', { availability_zone: 'moon' }],
    ['field', { nonsense: true }],
    ['type', { name: 5 }],
    ['name', { name: '' }],
    ['user data', { user_data: 'not base64!' }],
    ['max_count', { min_count: 3, max_count: 2 }],
    ['quota', { min_count: 11 }, 403],
  ]
  for (const [what, change, wanted = 400] of cases) {
    const { status, body } = await compute('POST', '/servers', { server: { ...good, ...change } })
    assert.equal(status, wanted, `${what}: ${JSON.stringify(body)}`)
    assert.equal(typeof Object.values<{ message: string }>(body)[0]!.message, 'string', what)
  }
  await assertNothing(world)
})

test('garbage is refused by each service with its status', async () => {
  await using world = await startWorld({ hosts: 1 })
  const alice = world.as('alice')
  for (const [api, path] of [
    ['compute', '/servers'],
    ['network', '/networks'],
    ['identity', '/auth/tokens'],
    ['image', '/images'],
  ] as const) {
    const big = { x: 'x'.repeat(2_000_000) }
    assert.equal((await alice[api]('POST', path, big)).status, 413, `2 MB to ${api}`)
    const list = await alice[api]('POST', path, [1, 2, 3])
    assert.equal(list.status, 400, `a list to ${api}: ${JSON.stringify(list.body)}`)
    const xml = await alice[api]('POST', path, { x: 1 }, { 'content-type': 'text/xml' })
    assert.ok([400, 415].includes(xml.status), `XML to ${api}: ${xml.status}`)
    const method = await alice[api]('PATCH', path, {})
    assert.ok([404, 405].includes(method.status), `PATCH ${path} of ${api}: ${method.status}`)
  }
  await assertNothing(world)
})

async function assertNothing(world: World): Promise<void> {
  const { servers } = ok(await world.as('admin').compute('GET', '/servers?all_tenants=1'))
  assert.deepEqual(servers, [])
  const { ports } = ok(await world.as('admin').network('GET', '/ports?device_owner=compute:nova'))
  assert.deepEqual(ports, [])
  for (const { driver } of world.hosts) assert.deepEqual(await driver.listGuests(), [])
}
