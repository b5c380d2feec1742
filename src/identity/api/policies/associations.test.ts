import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

test('an endpoint has the nearest policy: its own, that of its service around its region, or its service’s', async () => {
  await using world = await startWorld()
  const policies: string[] = []
  for (const type of ['a', 'b', 'c']) {
    policies.push((await world.admin('POST', '/v3/policies', { policy: { type, blob: '{}' } })).policy.id)
  }
  const [own, regional, general] = policies
  await world.admin('POST', '/v3/regions', { region: { id: 'Europe' } })
  await world.admin('PATCH', '/v3/regions/RegionOne', { region: { parent_region_id: 'Europe' } })
  const { endpoints } = await world.admin('GET', '/v3/endpoints')
  const [endpoint] = endpoints
  const service = endpoint.service_id
  const nearest = async () => {
    const path = `/v3/endpoints/${endpoint.id}/OS-ENDPOINT-POLICY/policy`
    const { status, body } = await world.call('GET', path, world.adminToken)
    return status === 200 ? body.policy.id : status
  }
  const path = (policy: string | undefined, tail: string) =>
    `/v3/policies/${policy}/OS-ENDPOINT-POLICY/${tail}`
  assert.equal(await nearest(), 404)
  await world.admin('PUT', path(general, `services/${service}`))
  assert.equal(await nearest(), general)
  await world.admin('PUT', path(regional, `services/${service}/regions/Europe`))
  assert.equal(await nearest(), regional)
  await world.admin('PUT', path(own, `endpoints/${endpoint.id}`))
  assert.equal(await nearest(), own)
  const count = async (policy: string | undefined) =>
    (await world.admin('GET', path(policy, 'endpoints'))).endpoints.length
  assert.deepEqual([await count(own), await count(regional), await count(general)], [1, 3, 3])
  await world.admin('GET', path(own, `endpoints/${endpoint.id}`))
  await world.admin('PUT', path(general, `endpoints/${endpoint.id}`))
  const mine = path(own, `endpoints/${endpoint.id}`)
  assert.equal((await world.call('GET', mine, world.adminToken)).status, 404)
  assert.equal((await world.call('DELETE', mine, world.adminToken)).status, 404)
  await world.admin('DELETE', `/v3/policies/${general}`)
  assert.equal(await nearest(), regional)
  assert.equal((await world.call('PUT', path(own, 'services/nowhere'), world.adminToken)).status, 404)
})
