import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

test('members of a group hold its roles until they leave or the group goes', async () => {
  await using world = await startWorld()
  const { group } = await world.admin('POST', '/v3/groups', { group: { name: 'team', description: 'x' } })
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'shared' } })
  const [role] = (await world.admin('GET', '/v3/roles?name=member')).roles
  await world.admin('PUT', `/v3/projects/${project.id}/groups/${group.id}/roles/${role.id}`)
  const scope = { project: { id: project.id } }
  await assert.rejects(world.login('ann', 'x', scope))
  const membership = `/v3/groups/${group.id}/users/${user.id}`
  const status = async (method: string) => (await world.call(method, membership, world.adminToken)).status
  assert.equal(await status('HEAD'), 404)
  assert.equal(await status('PUT'), 204)
  assert.equal(await status('GET'), 204)
  const token = await world.login('ann', 'x', scope)
  assert.deepEqual((await world.identity.validator.validate(token))?.roles, ['member', 'reader'])
  const { users } = await world.admin('GET', `/v3/groups/${group.id}/users`)
  assert.deepEqual(
    users.map((of: { name: string }) => of.name),
    ['ann'],
  )
  const { groups } = await world.admin('GET', `/v3/users/${user.id}/groups`)
  assert.deepEqual(
    groups.map((of: { name: string }) => of.name),
    ['team'],
  )
  assert.equal(await status('DELETE'), 204)
  assert.equal(await world.identity.validator.validate(token), undefined)
  assert.equal(await status('DELETE'), 404)
  await world.admin('DELETE', `/v3/groups/${group.id}`)
  const left = await world.admin('GET', `/v3/role_assignments?scope.project.id=${project.id}`)
  assert.deepEqual(left.role_assignments, [])
})

test('groups are shown, changed and found by name; two of one name in a domain are refused', async () => {
  await using world = await startWorld()
  const { group } = await world.admin('POST', '/v3/groups', { group: { name: 'team', colour: 'red' } })
  assert.deepEqual([group.colour, group.domain_id, group.description], ['red', 'default', ''])
  const { group: changed } = await world.admin('PATCH', `/v3/groups/${group.id}`, { group: { name: 'crew' } })
  assert.deepEqual([changed.name, changed.colour], ['crew', 'red'])
  assert.equal((await world.admin('GET', '/v3/groups?name=crew')).groups.length, 1)
  const again = await world.call('POST', '/v3/groups', world.adminToken, { group: { name: 'crew' } })
  assert.equal(again.status, 409)
})
