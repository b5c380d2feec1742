import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

test('a service with endpoints shows in the catalog of new tokens until it is disabled or gone', async () => {
  await using world = await startWorld()
  const { service } = await world.admin('POST', '/v3/services', {
    service: { type: 'dns', name: 'designate', description: 'names' },
  })
  assert.deepEqual([service.name, service.description, service.enabled], ['designate', 'names', true])
  const { endpoint } = await world.admin('POST', '/v3/endpoints', {
    endpoint: {
      service_id: service.id,
      interface: 'public',
      url: 'http://c:9001/$(project_id)s',
      region: 'New',
    },
  })
  assert.deepEqual([endpoint.region, endpoint.region_id, endpoint.enabled], ['New', 'New', true])
  assert.equal((await world.admin('GET', '/v3/regions/New')).region.id, 'New')
  const catalog = async (): Promise<{ type: string; endpoints: { url: string }[] }[]> =>
    (await world.admin('GET', '/v3/auth/catalog')).catalog
  const context = await world.identity.validator.validate(world.adminToken)
  const entry = (await catalog()).find((of) => of.type === 'dns')
  assert.equal(entry?.endpoints[0]?.url, `http://c:9001/${context?.projectId}`)
  await world.admin('PATCH', `/v3/endpoints/${endpoint.id}`, { endpoint: { enabled: false } })
  assert.deepEqual((await catalog()).find((of) => of.type === 'dns')?.endpoints, [])
  await world.admin('PATCH', `/v3/services/${service.id}`, { service: { enabled: false } })
  assert.equal(
    (await catalog()).some((of) => of.type === 'dns'),
    false,
  )
  await world.admin('DELETE', `/v3/services/${service.id}`)
  assert.equal((await world.call('GET', `/v3/endpoints/${endpoint.id}`, world.adminToken)).status, 404)
})

test('services and endpoints are filtered, and checked', async () => {
  await using world = await startWorld()
  const [nova] = (await world.admin('GET', '/v3/services?name=nova')).services
  assert.equal(nova.type, 'compute')
  assert.equal(
    (await world.admin('GET', `/v3/endpoints?service_id=${nova.id}&interface=public`)).endpoints.length,
    1,
  )
  const post = async (endpoint: unknown) =>
    (await world.call('POST', '/v3/endpoints', world.adminToken, { endpoint })).status
  const valid = { service_id: nova.id, interface: 'public', url: 'http://c' }
  assert.equal(await post({ ...valid, interface: 'secret' }), 400)
  assert.equal(await post({ ...valid, service_id: 'none' }), 404)
  assert.equal(await post({ ...valid, url: 'http://c/%(unknown)s' }), 400)
  assert.equal(await post({ ...valid, url: 'nonsense' }), 400)
  assert.equal(await post({ ...valid, enabled: 'no' }), 400)
})

test('regions make a tree without circles, and stay while something is served from them', async () => {
  await using world = await startWorld()
  const made = await world.call('PUT', '/v3/regions/north', world.adminToken, {
    region: { description: 'x' },
  })
  assert.deepEqual(
    [made.status, made.body.region.id, made.body.region.parent_region_id],
    [201, 'north', null],
  )
  await world.admin('POST', '/v3/regions', { region: { id: 'inner', parent_region_id: 'north' } })
  const patch = { region: { parent_region_id: 'inner' } }
  assert.equal((await world.call('PATCH', '/v3/regions/north', world.adminToken, patch)).status, 400)
  const again = await world.call('POST', '/v3/regions', world.adminToken, { region: { id: 'north' } })
  assert.equal(again.status, 409)
  assert.equal((await world.admin('GET', '/v3/regions?parent_region_id=north')).regions.length, 1)
  assert.equal((await world.call('DELETE', '/v3/regions/RegionOne', world.adminToken)).status, 403)
  assert.equal((await world.call('DELETE', '/v3/regions/north', world.adminToken)).status, 204)
  assert.equal((await world.call('GET', '/v3/regions/inner', world.adminToken)).status, 404)
})

test('policy documents are kept as they are', async () => {
  await using world = await startWorld()
  const { policy } = await world.admin('POST', '/v3/policies', {
    policy: { blob: '{}', type: 'application/json' },
  })
  const { policy: changed } = await world.admin('PATCH', `/v3/policies/${policy.id}`, {
    policy: { blob: '[]' },
  })
  assert.deepEqual([changed.blob, changed.type], ['[]', 'application/json'])
  assert.equal((await world.admin('GET', '/v3/policies?type=application/json')).policies.length, 1)
  assert.equal((await world.call('DELETE', `/v3/policies/${policy.id}`, world.adminToken)).status, 204)
})
