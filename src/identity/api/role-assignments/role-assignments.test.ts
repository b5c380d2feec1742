import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

interface Shown {
  role: { id: string; name?: string; domain?: unknown }
  user?: { id: string; name?: string; domain?: { id: string; name: string } }
  group?: { id: string }
  scope: Record<string, { id?: string; name?: string }>
  links: Record<string, string>
}

async function assigned() {
  const world = await startWorld()
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  const { group } = await world.admin('POST', '/v3/groups', { group: { name: 'team' } })
  await world.admin('PUT', `/v3/groups/${group.id}/users/${user.id}`)
  const { project: top } = await world.admin('POST', '/v3/projects', { project: { name: 'top' } })
  const { project: low } = await world.admin('POST', '/v3/projects', {
    project: { name: 'low', parent_id: top.id },
  })
  const [reader] = (await world.admin('GET', '/v3/roles?name=reader')).roles
  const [member] = (await world.admin('GET', '/v3/roles?name=member')).roles
  await world.admin('PUT', `/v3/projects/${top.id}/groups/${group.id}/roles/${reader.id}`)
  await world.admin(
    'PUT',
    `/v3/OS-INHERIT/projects/${top.id}/users/${user.id}/roles/${member.id}/inherited_to_projects`,
  )
  const list = async (query: string): Promise<Shown[]> =>
    (await world.admin('GET', `/v3/role_assignments?${query}`)).role_assignments
  return { world, user, group, top, low, reader, member, list }
}

test('assignments are listed as they were made, by each filter', async () => {
  const { world, user, group, top, member, list } = await assigned()
  await using _ = world
  assert.equal((await list(`user.id=${user.id}`)).length, 1)
  assert.equal((await list(`group.id=${group.id}`)).length, 1)
  assert.equal((await list(`scope.project.id=${top.id}`)).length, 2)
  assert.equal((await list(`scope.project.id=${top.id}&role.id=${member.id}`)).length, 1)
  const [system] = await list('scope.system=all')
  assert.deepEqual(system?.scope, { system: { all: true } })
  const [inherited] = await list(`scope.OS-INHERIT:inherited_to=projects&user.id=${user.id}`)
  assert.equal(inherited?.scope['OS-INHERIT:inherited_to'], 'projects')
  assert.match(String(inherited?.links['assignment']), /OS-INHERIT\/projects\/.*\/inherited_to_projects$/)
})

test('effective assignments show members, projects below and implied roles, with where they come from', async () => {
  const { world, user, group, top, low, reader, member, list } = await assigned()
  await using _ = world
  const found = await list(`effective&user.id=${user.id}`)
  const brief = found.map((of) => [of.scope['project']?.id, of.role.id]).sort()
  assert.deepEqual(
    brief,
    [
      [top.id, reader.id],
      [low.id, member.id],
      [low.id, reader.id],
    ].sort(),
  )
  assert.ok(found.every((of) => of.group === undefined))
  const byGroup = found.find((of) => of.scope['project']?.id === top.id)
  assert.match(String(byGroup?.links['membership']), new RegExp(`/groups/${group.id}/users/${user.id}$`))
  const implied = found.find((of) => of.scope['project']?.id === low.id && of.role.id === reader.id)
  assert.match(
    String(implied?.links['prior_role']),
    new RegExp(`/prior_role/${member.id}/implies/${reader.id}$`),
  )
  assert.equal((await list(`effective=0&user.id=${user.id}`)).length, 1)
  assert.equal((await list(`effective&scope.project.id=${low.id}`)).length, 2)
})

test('a subtree and names are shown when asked for', async () => {
  const { world, user, top, low, member, list } = await assigned()
  await using _ = world
  await world.admin('PUT', `/v3/projects/${low.id}/users/${user.id}/roles/${member.id}`)
  const found = await list(`include_subtree&include_names&scope.project.id=${top.id}&user.id=${user.id}`)
  assert.equal(found.length, 2)
  assert.deepEqual(found[0]?.user, { id: user.id, name: 'ann', domain: { id: 'default', name: 'Default' } })
  assert.deepEqual(found[0]?.role, { id: member.id, name: 'member' })
})

test('filters that contradict each other are refused', async () => {
  const { world } = await assigned()
  await using _ = world
  for (const query of [
    'user.id=a&group.id=b',
    'scope.domain.id=a&scope.project.id=b',
    'scope.system=all&scope.project.id=b',
    'effective&group.id=b',
    'include_subtree',
  ]) {
    const reply = await world.call('GET', `/v3/role_assignments?${query}`, world.adminToken)
    assert.equal(reply.status, 400, query)
  }
})
