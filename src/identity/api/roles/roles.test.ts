import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld, type World } from '../identity-world.ts'

async function create(world: World, role: Record<string, unknown>) {
  return (await world.admin('POST', '/v3/roles', { role })).role
}

test('roles are of the deployment or of one domain, each listed apart', async () => {
  await using world = await startWorld()
  const global = await create(world, { name: 'pilot' })
  const local = await create(world, { name: 'pilot', domain_id: 'default' })
  assert.deepEqual([global.domain_id, local.domain_id], [null, 'default'])
  const ids = async (query: string) =>
    (await world.admin('GET', `/v3/roles?${query}`)).roles.map((role: { id: string }) => role.id)
  assert.deepEqual(await ids('name=pilot'), [global.id])
  assert.deepEqual(await ids('domain_id=default'), [local.id])
  const again = await world.call('POST', '/v3/roles', world.adminToken, { role: { name: 'pilot' } })
  assert.equal(again.status, 409)
  assert.equal(
    (await world.admin('PATCH', `/v3/roles/${global.id}`, { role: { name: 'captain' } })).role.name,
    'captain',
  )
  assert.equal((await world.call('DELETE', `/v3/roles/${local.id}`, world.adminToken)).status, 204)
})

test('a role brings along what it implies, to any depth, but never the administrator', async () => {
  await using world = await startWorld()
  const [a, b, c] = [
    await create(world, { name: 'a' }),
    await create(world, { name: 'b' }),
    await create(world, { name: 'c' }),
  ]
  const implies = (prior: { id: string }, implied: { id: string }) =>
    `/v3/roles/${prior.id}/implies/${implied.id}`
  const put = await world.call('PUT', implies(a, b), world.adminToken)
  assert.equal(put.status, 201)
  assert.equal(put.body.role_inference.implies.name, 'b')
  await world.admin('PUT', implies(b, c))
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  await world.admin('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${a.id}`)
  const token = await world.login('ann', 'x', { project: { id: project.id } })
  assert.deepEqual((await world.identity.validator.validate(token))?.roles, ['a', 'b', 'c'])
  const [admin] = (await world.admin('GET', '/v3/roles?name=admin')).roles
  assert.equal((await world.call('PUT', implies(a, admin), world.adminToken)).status, 403)
  assert.equal((await world.call('HEAD', implies(a, b), world.adminToken)).status, 204)
  assert.equal((await world.call('GET', implies(a, c), world.adminToken)).status, 404)
  const rules = (await world.admin('GET', '/v3/role_inferences')).role_inferences
  assert.ok(rules.some((rule: { prior_role: { name: string } }) => rule.prior_role.name === 'b'))
  assert.equal((await world.call('DELETE', implies(b, c), world.adminToken)).status, 204)
  assert.equal((await world.call('DELETE', implies(b, c), world.adminToken)).status, 404)
  assert.deepEqual((await world.identity.validator.validate(token))?.roles, ['a', 'b'])
})

test('a role of a domain shows in tokens only by what it implies, and stays in its domain', async () => {
  await using world = await startWorld()
  const local = await create(world, { name: 'team', domain_id: 'default' })
  const [reader] = (await world.admin('GET', '/v3/roles?name=reader')).roles
  await world.admin('PUT', `/v3/roles/${local.id}/implies/${reader.id}`)
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  await world.admin('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${local.id}`)
  const token = await world.login('ann', 'x', { project: { id: project.id } })
  assert.deepEqual((await world.identity.validator.validate(token))?.roles, ['reader'])
  const { domain } = await world.admin('POST', '/v3/domains', { domain: { name: 'other' } })
  const { project: far } = await world.admin('POST', '/v3/projects', {
    project: { name: 'q', domain_id: domain.id },
  })
  const url = `/v3/projects/${far.id}/users/${user.id}/roles/${local.id}`
  assert.equal((await world.call('PUT', url, world.adminToken)).status, 403)
})
