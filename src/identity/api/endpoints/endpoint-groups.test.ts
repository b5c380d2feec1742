import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

test('a project that endpoints or groups are named for has only those in its catalog', async () => {
  await using world = await startWorld()
  const [nova] = (await world.admin('GET', '/v3/services?name=nova')).services
  const { endpoint_group: group } = await world.admin('POST', '/v3/OS-EP-FILTER/endpoint_groups', {
    endpoint_group: { name: 'public nova', filters: { service_id: nova.id, interface: 'public' } },
  })
  const shown = async (): Promise<number> => {
    const { catalog } = await world.admin('GET', '/v3/auth/catalog')
    return catalog.flatMap((entry: { endpoints: unknown[] }) => entry.endpoints).length
  }
  const projectId = (await world.identity.validator.validate(world.adminToken))?.projectId
  assert.equal(await shown(), 6)
  const link = `/v3/OS-EP-FILTER/endpoint_groups/${group.id}/projects/${projectId}`
  assert.equal((await world.call('GET', link, world.adminToken)).status, 404)
  assert.equal((await world.call('PUT', link, world.adminToken)).status, 204)
  assert.equal((await world.admin('GET', link)).project_endpoint_group.project_id, projectId)
  assert.equal(await shown(), 1)
  const [other] = (await world.admin('GET', '/v3/endpoints?interface=admin')).endpoints
  const named = `/v3/OS-EP-FILTER/projects/${projectId}/endpoints/${other.id}`
  assert.equal((await world.call('PUT', named, world.adminToken)).status, 204)
  assert.equal((await world.call('HEAD', named, world.adminToken)).status, 204)
  assert.equal(await shown(), 2)
  const count = async (path: string, key: string) =>
    (await world.admin('GET', `/v3/OS-EP-FILTER/${path}`))[key].length
  assert.equal(await count(`projects/${projectId}/endpoints`, 'endpoints'), 2)
  assert.equal(await count(`projects/${projectId}/endpoint_groups`, 'endpoint_groups'), 1)
  assert.equal(await count(`endpoints/${other.id}/projects`, 'projects'), 1)
  assert.equal(await count(`endpoint_groups/${group.id}/projects`, 'projects'), 1)
  assert.equal(await count(`endpoint_groups/${group.id}/endpoints`, 'endpoints'), 1)
  assert.equal((await world.call('DELETE', named, world.adminToken)).status, 204)
  assert.equal((await world.call('DELETE', named, world.adminToken)).status, 404)
  await world.admin('DELETE', `/v3/OS-EP-FILTER/endpoint_groups/${group.id}`)
  assert.equal(await shown(), 6)
})

test('a group’s filters are checked, and changed', async () => {
  await using world = await startWorld()
  const post = (endpoint_group: unknown) =>
    world.call('POST', '/v3/OS-EP-FILTER/endpoint_groups', world.adminToken, { endpoint_group })
  assert.equal((await post({ name: 'x', filters: {} })).status, 400)
  assert.equal((await post({ name: 'x', filters: { url: 'x' } })).status, 400)
  assert.equal((await post({ filters: { interface: 'public' } })).status, 400)
  const { id } = (await post({ name: 'x', filters: { interface: 'public' } })).body.endpoint_group
  const url = `/v3/OS-EP-FILTER/endpoint_groups/${id}`
  const { endpoint_group } = await world.admin('PATCH', url, {
    endpoint_group: { filters: { region_id: 'r' } },
  })
  assert.deepEqual([endpoint_group.name, endpoint_group.filters], ['x', { region_id: 'r' }])
})
