import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

async function registered() {
  const world = await startWorld()
  const [service] = (await world.admin('GET', '/v3/services?name=nova')).services
  const resource = { service_id: service.id, resource_name: 'cores' }
  const post = (path: string, key: string, items: unknown[]) =>
    world.call('POST', path, world.adminToken, { [key]: items })
  const made = await post('/v3/registered_limits', 'registered_limits', [{ ...resource, default_limit: 20 }])
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  return { world, resource, post, project, limit: made.body.registered_limits[0] }
}

test('registered limits are made, changed and found, one for each resource', async () => {
  const { world, resource, post, limit } = await registered()
  await using _ = world
  assert.deepEqual([limit.default_limit, limit.region_id, limit.description], [20, null, null])
  const again = await post('/v3/registered_limits', 'registered_limits', [{ ...resource, default_limit: 1 }])
  assert.equal(again.status, 409)
  const url = `/v3/registered_limits/${limit.id}`
  const changed = await world.admin('PATCH', url, { registered_limit: { default_limit: 30 } })
  assert.equal(changed.registered_limit.default_limit, 30)
  assert.equal(
    (await world.admin('GET', '/v3/registered_limits?resource_name=cores')).registered_limits.length,
    1,
  )
  const bad = [{ ...resource, resource_name: 'x', default_limit: -2 }]
  assert.equal((await post('/v3/registered_limits', 'registered_limits', bad)).status, 400)
  assert.equal((await post('/v3/registered_limits', 'registered_limits', [])).status, 400)
})

test('a limit needs its registered limit, which stays while there are limits', async () => {
  const { world, resource, post, project, limit } = await registered()
  await using _ = world
  const wanted = { ...resource, project_id: project.id, resource_limit: 5 }
  const made = await post('/v3/limits', 'limits', [wanted])
  assert.equal(made.status, 201)
  const [{ id, resource_limit, domain_id }] = made.body.limits
  assert.deepEqual([resource_limit, domain_id], [5, null])
  assert.equal((await post('/v3/limits', 'limits', [wanted])).status, 409)
  assert.equal((await post('/v3/limits', 'limits', [{ ...wanted, resource_name: 'none' }])).status, 403)
  const both = { ...wanted, domain_id: 'default' }
  assert.equal((await post('/v3/limits', 'limits', [both])).status, 400)
  const url = `/v3/registered_limits/${limit.id}`
  assert.equal((await world.call('DELETE', url, world.adminToken)).status, 403)
  const changed = await world.admin('PATCH', `/v3/limits/${id}`, { limit: { resource_limit: 7 } })
  assert.equal(changed.limit.resource_limit, 7)
  assert.equal((await world.call('DELETE', `/v3/limits/${id}`, world.adminToken)).status, 204)
  assert.equal((await world.call('DELETE', url, world.adminToken)).status, 204)
})

test('who is scoped to a project sees its limits, the system all of them', async () => {
  const { world, resource, post, project } = await registered()
  await using _ = world
  await post('/v3/limits', 'limits', [
    { ...resource, project_id: project.id, resource_limit: 5 },
    { ...resource, domain_id: 'default', resource_limit: 50 },
  ])
  const count = async (token: string) => (await world.call('GET', '/v3/limits', token)).body.limits.length
  assert.equal(await count(world.adminToken), 0)
  assert.equal(await count(await world.login('admin', 'secret', { system: { all: true } })), 2)
  assert.equal((await world.admin('GET', '/v3/limits/model')).model.name, 'flat')
})
