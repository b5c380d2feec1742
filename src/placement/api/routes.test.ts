import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methodAndPath } from '../../base/http/table.ts'
import { newUuid } from '../../base/ids.ts'
import { placementWorld } from '../world.ts'
import { policyDefaults } from './policies.ts'
import { placementRoutes } from './routes.ts'

const concrete = (path: string): string =>
  path
    .replace(/:name/, 'CUSTOM_X')
    .replace(/:resourceClass/, 'VCPU')
    .replace(/:\w+/g, newUuid())

test('every route but the root asks for a token and then for the right to do it', async () => {
  await using world = await placementWorld()
  for (const route of placementRoutes) {
    const [method, path] = methodAndPath(route)
    if (route.policy === null) continue
    assert.ok(route.policy in policyDefaults, route.policy)
    const version = route.until ?? '1.39'
    const stranger = await world.call(method, concrete(path), { version, headers: { 'x-auth-token': '' } })
    assert.equal(stranger.status, 401, `${method} ${path}`)
    const reader = await world.call(method, `${concrete(path)}?project_id=other`, {
      version,
      headers: { 'x-auth-token': 'reader' },
    })
    assert.equal(reader.status, 403, `${method} ${path}`)
    assert.equal(reader.body.errors[0].title, 'Forbidden')
  }
})

test('a route that came with a later microversion is not there before', async () => {
  await using world = await placementWorld()
  for (const route of placementRoutes) {
    const [method, path] = methodAndPath(route)
    if (route.since === undefined || route.until !== undefined || route.since === '1.7') continue
    const before = `1.${Number(route.since.split('.')[1]) - 1}`
    const early = await world.call(method, concrete(path), { version: before, body: {} })
    assert.equal(early.status, 404, `${method} ${path} at ${before}`)
    assert.equal(early.headers['openstack-api-version'], `placement ${before}`)
  }
})

test('the root tells the versions without a token, at the port and under /placement', async () => {
  await using world = await placementWorld()
  for (const path of ['/', '/placement', '/placement/']) {
    const { status, body } = await world.call('GET', path, { headers: { 'x-auth-token': '' } })
    assert.equal(status, 200, path)
    assert.deepEqual(body.versions[0], {
      id: 'v1.0',
      max_version: '1.39',
      min_version: '1.0',
      status: 'CURRENT',
      links: [{ rel: 'self', href: '' }],
    })
  }
  const uuid = newUuid()
  const made = await world.call('POST', '/placement/resource_providers', { body: { name: 'a', uuid } })
  assert.match(made.headers['location']!, new RegExp(`^http://[^/]+/placement/resource_providers/${uuid}$`))
  assert.equal(made.body.links[0].href, `/placement/resource_providers/${uuid}`)
  const plain = await world.call('GET', `/resource_providers/${uuid}`)
  assert.equal(plain.body.links[0].href, `/resource_providers/${uuid}`)
})

test('errors have codes since 1.23, and a version out of range names the range', async () => {
  await using world = await placementWorld()
  const missing = `/resource_providers/${newUuid()}`
  const old = await world.call('GET', missing, { version: '1.22' })
  assert.deepEqual(Object.keys(old.body.errors[0]).sort(), ['detail', 'request_id', 'status', 'title'])
  const now = await world.call('GET', missing, { version: '1.23' })
  assert.equal(now.body.errors[0].code, 'placement.undefined_code')
  assert.equal(now.body.errors[0].request_id, now.headers['x-openstack-request-id'])
  const beyond = await world.call('GET', missing, { version: '1.40' })
  assert.equal(beyond.status, 406)
  assert.deepEqual([beyond.body.errors[0].min_version, beyond.body.errors[0].max_version], ['1.0', '1.39'])
  const picky = await world.call('GET', missing, { headers: { accept: 'text/plain' } })
  assert.equal(picky.status, 406)
  const refused = await world.call('DELETE', '/resource_providers')
  assert.equal(refused.status, 405)
  assert.match(refused.headers['allow']!, /GET, POST/)
})

test('answers tell when they changed since 1.15, and that they are not to be cached', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  await world.client.ensureProvider(uuid, 'a')
  for (const path of [
    '/',
    '/resource_providers',
    `/resource_providers/${uuid}`,
    `/resource_providers/${uuid}/inventories`,
    `/resource_providers/${uuid}/usages`,
    `/resource_providers/${uuid}/traits`,
    `/resource_providers/${uuid}/aggregates`,
    `/resource_providers/${uuid}/allocations`,
    '/resource_classes/VCPU',
    '/traits/HW_CPU_X86_AVX',
    `/allocations/${newUuid()}`,
    '/allocation_candidates?resources=VCPU:1',
    '/usages?project_id=p',
  ]) {
    const old = await world.call('GET', path, { version: '1.14' })
    assert.equal(old.headers['last-modified'], undefined, path)
    const now = await world.call('GET', path, { version: '1.15' })
    assert.match(now.headers['last-modified'] ?? '', /GMT$/, path)
    assert.equal(now.headers['cache-control'], 'no-cache')
  }
})
