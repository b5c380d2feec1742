/** Networks, addresses and what servers do with them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeNetwork, ok } from '../../src/testing/first-things.ts'
import { startWorld } from '../../src/testing/world.ts'

test('subnets of one network must not overlap; those of two networks may', async () => {
  await using world = await startWorld({ hosts: 1 })
  const { network } = world.as('alice')
  for (const cidr of ['10.1.0.0/24', '10.1.0.128/25', '10.0.0.0/8']) {
    const subnet = { network_id: world.networkId, ip_version: 4, cidr }
    const { status, body } = await network('POST', '/subnets', { subnet })
    assert.equal(status, 400, cidr)
    assert.match(body.NeutronError.message, /overlaps/, cidr)
  }
  await makeNetwork(world.as('alice'), '10.1.0.0/24')
  const { subnets } = ok(await network('GET', '/subnets'))
  assert.equal(subnets.length, 2)
})

test('a pool without addresses left gives no more, and a server on it is in ERROR and holds none', async () => {
  await using world = await startWorld()
  const alice = world.as('alice')
  const allocation_pools = [{ start: '10.9.0.10', end: '10.9.0.11' }]
  const { networkId } = await makeNetwork(alice, '10.9.0.0/24', { allocation_pools, enable_dhcp: false })
  const networks = [{ uuid: networkId }]
  const first = await world.boot('alice', { networks })
  const second = await world.boot('alice', { networks })
  const third = await world.boot('alice', { networks })
  assert.deepEqual([first.status, second.status, third.status], ['ACTIVE', 'ACTIVE', 'ERROR'])
  assert.match(third.fault!.message, /No more IP addresses|no more|not enough/i)
  const port = await alice.network('POST', '/ports', { port: { network_id: networkId } })
  assert.deepEqual([port.status, port.body.NeutronError.type], [409, 'IpAddressGenerationFailure'])
  const held = await world.leftovers(third.id)
  assert.ok(
    held.every((what) => what.startsWith('instance in')),
    held.join(', '),
  )
  await world.remove('alice', first.id)
  const fourth = await world.boot('alice', { networks })
  assert.equal(fourth.status, 'ACTIVE', JSON.stringify(fourth.fault))
  assert.equal(fourth.addresses['private']![0]!.addr, first.addresses['private']![0]!.addr)
})

test("a server's own port lives on without it, and no other server may use it meanwhile", async () => {
  await using world = await startWorld()
  const { network, compute } = world.as('alice')
  const { port } = ok(await network('POST', '/ports', { port: { network_id: world.networkId } }))
  const server = await world.boot('alice', { networks: [{ port: port.id }] })
  assert.equal(server.addresses['private']![0]!.addr, port.fixed_ips[0].ip_address)
  const taken = await compute('POST', '/servers', {
    server: { name: 'x', imageRef: world.imageId, flavorRef: '1', networks: [{ port: port.id }] },
  })
  assert.equal(taken.status, 409, JSON.stringify(taken.body))
  await world.remove('alice', server.id)
  const left = ok(await network('GET', `/ports/${port.id}`)).port
  assert.deepEqual([left.device_id, left.status], ['', 'DOWN'])
  assert.deepEqual(await world.leftovers(server.id), [])
})

test('a network in use is not deleted; one that is free goes with its DHCP port', async () => {
  await using world = await startWorld()
  const { network } = world.as('alice')
  const { id } = await world.boot('alice')
  assert.equal((await network('DELETE', `/networks/${world.networkId}`)).status, 409)
  assert.equal((await network('DELETE', `/subnets/${world.subnetId}`)).status, 409)
  await world.remove('alice', id)
  assert.equal((await network('DELETE', `/networks/${world.networkId}`)).status, 204)
  const { ports } = ok(await world.as('admin').network('GET', `/ports?network_id=${world.networkId}`))
  assert.deepEqual(ports, [])
})

test('an address outside of the network puts the server in ERROR, with the address in the reason', async () => {
  await using world = await startWorld()
  const networks = [{ uuid: world.networkId, fixed_ip: '192.0.2.1' }]
  const server = await world.boot('alice', { networks })
  assert.equal(server.status, 'ERROR')
  assert.match(server.fault!.message, /192\.0\.2\.1/)
  await world.remove('alice', server.id)
  assert.deepEqual(await world.leftovers(server.id), [])
})
