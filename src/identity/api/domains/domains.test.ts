import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

test('a domain goes, with all in it, once it is disabled; its users lose their tokens at that', async () => {
  await using world = await startWorld()
  const { domain } = await world.admin('POST', '/v3/domains', { domain: { name: 'other', description: 'x' } })
  const { user } = await world.admin('POST', '/v3/users', {
    user: { name: 'ann', password: 'x', domain_id: domain.id },
  })
  await world.admin('POST', '/v3/projects', { project: { name: 'p', domain_id: domain.id } })
  await world.admin('POST', '/v3/groups', { group: { name: 'g', domain_id: domain.id } })
  const auth = { identity: { methods: ['password'], password: { user: { id: user.id, password: 'x' } } } }
  const login = await world.call('POST', '/v3/auth/tokens', undefined, { auth })
  const token = String(login.headers['x-subject-token'])
  assert.equal((await world.call('GET', '/v3/auth/projects', token)).status, 200)
  assert.equal((await world.call('DELETE', `/v3/domains/${domain.id}`, world.adminToken)).status, 403)
  await world.admin('PATCH', `/v3/domains/${domain.id}`, { domain: { enabled: false } })
  assert.equal((await world.call('GET', '/v3/auth/projects', token)).status, 401)
  assert.equal((await world.call('POST', '/v3/auth/tokens', undefined, { auth })).status, 401)
  assert.equal((await world.call('DELETE', `/v3/domains/${domain.id}`, world.adminToken)).status, 204)
  assert.equal((await world.call('GET', `/v3/users/${user.id}`, world.adminToken)).status, 404)
  assert.deepEqual((await world.admin('GET', `/v3/groups?domain_id=${domain.id}`)).groups, [])
  assert.deepEqual((await world.admin('GET', '/v3/domains?name=other')).domains, [])
})

test('a domain is also a project that acts as one, and names are unique among domains', async () => {
  await using world = await startWorld()
  const { domain } = await world.admin('POST', '/v3/domains', { domain: { name: 'other' } })
  assert.deepEqual(domain, {
    id: domain.id,
    name: 'other',
    description: '',
    enabled: true,
    tags: [],
    options: {},
    links: { self: `http://localhost:80/v3/domains/${domain.id}` },
  })
  const { project } = await world.admin('GET', `/v3/projects/${domain.id}`)
  assert.deepEqual([project.is_domain, project.domain_id, project.parent_id], [true, null, null])
  const again = await world.call('POST', '/v3/domains', world.adminToken, { domain: { name: 'other' } })
  assert.equal(again.status, 409)
  assert.equal((await world.call('GET', `/v3/domains/${domain.id}/config`, world.adminToken)).status, 404)
})
