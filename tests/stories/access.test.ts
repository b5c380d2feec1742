/** Who may do what: tokens, projects, and routes without a token. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Route } from '../../src/base/http/route.ts'
import { methodAndPath } from '../../src/base/http/table.ts'
import type { ApiName } from '../../src/cli/admin-client.ts'
import { computeRoutes } from '../../src/compute/api/routes.ts'
import { identityRoutes } from '../../src/identity/api/routes.ts'
import { imageApiRoutes } from '../../src/image/service.ts'
import { networkRoutes } from '../../src/network/api/routes.ts'
import { defaultNetworkOptions } from '../../src/network/config.ts'
import { placementRoutes } from '../../src/placement/api/routes.ts'
import { makeNetwork, ok } from '../../src/testing/first-things.ts'
import { startWorld } from '../../src/testing/world.ts'

test('every route refuses who has no token, or a forged one, with the way to identity', async () => {
  await using world = await startWorld({ hosts: 1 })
  const tables: [api: ApiName, routes: readonly Route<never>[], prefix: string][] = [
    ['identity', identityRoutes, ''],
    ['image', imageApiRoutes, ''],
    ['placement', placementRoutes, ''],
    ['compute', computeRoutes, '/v2.1'],
    ['network', networkRoutes(defaultNetworkOptions), ''],
  ]
  const { sends } = world.services
  for (const [api, routes, prefix] of tables) {
    const guarded = routes.filter((route) => route.policy !== null).map(methodAndPath)
    assert.ok(guarded.length > 20, `the table of ${api}`)
    for (const [method, pattern] of [...guarded, ['GET', '/nowhere'] as const]) {
      const path = prefix + pattern.replaceAll(/:\w+/g, 'x')
      for (const headers of [{}, { 'x-auth-token': 'gAAAAAforged' }]) {
        const reply = await sends[api]({ method, path, headers })
        assert.equal(reply.status, 401, `${method} ${path} of ${api}`)
        assert.match(String(reply.headers['www-authenticate']), /^Keystone uri="http:\/\/controller:5000/)
      }
    }
  }
})

test('a token that was revoked, or whose time is over, opens nothing any more', async () => {
  let now = Date.now()
  await using world = await startWorld({ hosts: 1, services: { identity: { clock: { now: () => now } } } })
  const alice = world.as('alice')
  const token = (await alice.token())!
  const withIt = async () =>
    (await world.as('nobody').compute('GET', '/flavors', undefined, { 'x-auth-token': token })).status
  assert.equal(await withIt(), 200)
  now += 3_700_000
  assert.equal(await withIt(), 401)
  now -= 3_700_000
  assert.equal(await withIt(), 200)
  await alice.identity('DELETE', '/auth/tokens', undefined, { 'x-subject-token': token })
  assert.equal(await withIt(), 401)
})

test("another project's things are not there, whichever way they are asked for", async () => {
  await using world = await startWorld()
  const { id: server } = await world.boot('alice')
  const { body } = await world.as('alice').network('GET', `/ports?device_id=${server}`)
  const [port] = body.ports
  const group = ok(
    await world.as('alice').network('POST', '/security-groups', { security_group: { name: 'own' } }),
  ).security_group
  const bob = world.as('bob')
  const cases = [
    ['compute', `/servers/${server}`, { server: { name: 'mine' } }],
    ['network', `/networks/${world.networkId}`, { network: { name: 'mine' } }],
    ['network', `/subnets/${world.subnetId}`, { subnet: { name: 'mine' } }],
    ['network', `/ports/${port.id}`, { port: { name: 'mine' } }],
    ['network', `/security-groups/${group.id}`, { security_group: { name: 'mine' } }],
  ] as const
  for (const [api, path, update] of cases) {
    assert.equal((await bob[api]('GET', path)).status, 404, `GET ${path}`)
    assert.equal((await bob[api]('PUT', path, update)).status, 404, `PUT ${path}`)
    assert.equal((await bob[api]('DELETE', path)).status, 404, `DELETE ${path}`)
  }
  for (const action of [{ 'os-stop': null }, { reboot: { type: 'HARD' } }, { 'os-getConsoleOutput': {} }])
    assert.equal((await bob.compute('POST', `/servers/${server}/action`, action)).status, 404)
  for (const path of ['os-instance-actions', 'metadata', 'os-interface', 'os-security-groups', 'tags'])
    assert.equal((await bob.compute('GET', `/servers/${server}/${path}`)).status, 404, path)
  for (const [api, path, key] of [
    ['compute', '/servers', 'servers'],
    ['compute', '/servers?all_tenants=0', 'servers'],
    ['network', '/networks', 'networks'],
    ['network', '/ports', 'ports'],
  ] as const)
    assert.deepEqual((await bob[api]('GET', path)).body[key], [], path)
  assert.equal((await world.settled('alice', server)).status, 'ACTIVE')
  assert.equal((await world.as('rita').compute('GET', `/servers/${server}`)).status, 200)
  assert.equal((await world.as('rita').compute('DELETE', `/servers/${server}`)).status, 403)
})

test('a server is not put on a network of another project, nor given its port', async () => {
  await using world = await startWorld()
  const port = ok(
    await world.as('alice').network('POST', '/ports', { port: { network_id: world.networkId } }),
  ).port
  const server = { name: 'x', imageRef: world.imageId, flavorRef: '1' }
  for (const networks of [[{ uuid: world.networkId }], [{ port: port.id }]]) {
    const { status, body } = await world
      .as('bob')
      .compute('POST', '/servers', { server: { ...server, networks } })
    assert.equal(status, 400, JSON.stringify(body))
  }
  const own = await makeNetwork(world.as('bob'), '10.1.0.0/24')
  const made = await world.boot('bob', { networks: [{ uuid: own.networkId }] })
  assert.equal(made.status, 'ACTIVE', JSON.stringify(made.fault))
  const { body } = await world.as('bob').compute('GET', '/servers')
  assert.deepEqual(
    body.servers.map(({ id }: { id: string }) => id),
    [made.id],
  )
})
