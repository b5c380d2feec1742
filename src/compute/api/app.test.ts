import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methodAndPath } from '../../base/http/table.ts'
import { computePolicies } from './policies.ts'
import { computeRoutes } from './routes.ts'
import { makeWorld } from './testing/world.ts'

test('versions are told without a token', async () => {
  await using world = await makeWorld()
  const get = async (url: string) => (await world.app.inject({ url, headers: { host: 'cloud:8774' } })).json()
  const { versions } = await get('/')
  assert.deepEqual(
    versions.map((version: { id: string }) => version.id),
    ['v2.0', 'v2.1'],
  )
  assert.deepEqual(versions[1].links, [{ rel: 'self', href: 'http://cloud:8774/v2.1/' }])
  for (const url of ['/v2.1', '/v2.1/']) {
    const { version } = await get(url)
    assert.deepEqual([version.id, version.min_version, version.version], ['v2.1', '2.1', '2.96'])
  }
  assert.equal((await get('/v2/')).version.id, 'v2.0')
  // To nova a slash at the end makes another address, which is not there.
  assert.equal((await world.call('GET /flavors/')).status, 404)
  assert.equal((await world.call('GET /os-simple-tenant-usage/', { as: 'admin' })).status, 404)
})

test('every route without a token is 401, and has a policy that exists', async () => {
  await using world = await makeWorld()
  for (const route of computeRoutes) {
    const [method, path] = methodAndPath(route)
    const reply = await world.app.inject({ method, url: `/v2.1${path.replaceAll(/:\w+/g, 'x')}` })
    assert.equal(reply.statusCode, 401, `${method} ${path}`)
    assert.ok(route.policy !== null && route.policy in computePolicies, `${method} ${path}: ${route.policy}`)
  }
})

test('the project in the path must be the token’s own, and comes back in links', async () => {
  const project = 'aa0fc1de0a5f4d5b9a0d2f6f5ee9d0c1'
  await using world = await makeWorld()
  const flavor = { name: 'f', id: 'f', ram: 1, vcpus: 1, disk: 0 }
  await world.call('POST /flavors', { as: 'admin', body: { flavor } })
  const headers = { 'x-auth-token': 'member', host: 'h' }
  const other = await world.app.inject({ url: `/v2.1/${project}/flavors`, headers })
  assert.equal(other.statusCode, 400)
  assert.match(other.json().badRequest.message, /Malformed request URL/)
})

test('what nova no longer has is 410', async () => {
  await using world = await makeWorld()
  for (const path of ['/os-cells', '/os-certificates/1', '/servers/x/os-virtual-interfaces']) {
    assert.equal((await world.call(`GET ${path}`)).status, 410, path)
  }
})

test('extensions are listed', async () => {
  await using world = await makeWorld()
  assert.equal((await world.call('GET /extensions/os-agents')).body.extension.name, 'Agents')
  assert.equal((await world.call('GET /extensions/none')).status, 404)
  assert.ok((await world.call('GET /extensions')).body.extensions.length > 90)
})
