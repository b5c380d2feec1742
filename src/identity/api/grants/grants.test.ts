import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

async function people() {
  const world = await startWorld()
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  const { group } = await world.admin('POST', '/v3/groups', { group: { name: 'team' } })
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  const [role] = (await world.admin('GET', '/v3/roles?name=member')).roles
  return { world, user, group, project, role }
}

test('a role is granted, seen, listed and revoked, for each kind of actor and target', async () => {
  const { world, user, group, project, role } = await people()
  await using _ = world
  for (const actor of [`users/${user.id}`, `groups/${group.id}`]) {
    for (const [target, suffix] of [
      [`projects/${project.id}`, ''],
      ['domains/default', ''],
      ['system', ''],
      [`OS-INHERIT/projects/${project.id}`, '/inherited_to_projects'],
      ['OS-INHERIT/domains/default', '/inherited_to_projects'],
    ]) {
      const list = `/v3/${target}/${actor}/roles${suffix}`
      const one = `/v3/${target}/${actor}/roles/${role.id}${suffix}`
      const status = async (method: string) => (await world.call(method, one, world.adminToken)).status
      assert.equal(await status('HEAD'), 404, one)
      assert.equal(await status('PUT'), 204, one)
      assert.equal(await status('PUT'), 204, one)
      assert.equal(await status('GET'), 204, one)
      const { roles } = await world.admin('GET', list)
      assert.deepEqual(
        roles.map((of: { name: string }) => of.name),
        ['member'],
        list,
      )
      assert.equal(await status('DELETE'), 204, one)
      assert.equal(await status('DELETE'), 404, one)
    }
  }
})

test('what a path names must be there', async () => {
  const { world, user, project, role } = await people()
  await using _ = world
  for (const url of [
    `/v3/projects/nowhere/users/${user.id}/roles/${role.id}`,
    `/v3/projects/${project.id}/users/nobody/roles/${role.id}`,
    `/v3/projects/${project.id}/users/${user.id}/roles/none`,
    `/v3/domains/${project.id}/users/${user.id}/roles/${role.id}`,
  ]) {
    assert.equal((await world.call('PUT', url, world.adminToken)).status, 404, url)
  }
})

test('a role inherited from a domain or project holds below it, not on it', async () => {
  const { world, user, project, role } = await people()
  await using _ = world
  const { project: child } = await world.admin('POST', '/v3/projects', {
    project: { name: 'child', parent_id: project.id },
  })
  const login = (id: string) => world.login('ann', 'x', { project: { id } })
  await world.admin(
    'PUT',
    `/v3/OS-INHERIT/projects/${project.id}/users/${user.id}/roles/${role.id}/inherited_to_projects`,
  )
  await assert.rejects(login(project.id))
  await login(child.id)
  await world.admin(
    'PUT',
    `/v3/OS-INHERIT/domains/default/users/${user.id}/roles/${role.id}/inherited_to_projects`,
  )
  await login(project.id)
  await assert.rejects(world.login('ann', 'x', { domain: { id: 'default' } }))
})

test('a token loses a role that is revoked, and all its worth with the last', async () => {
  const { world, user, project, role } = await people()
  await using _ = world
  const [service] = (await world.admin('GET', '/v3/roles?name=service')).roles
  const url = (of: { id: string }) => `/v3/projects/${project.id}/users/${user.id}/roles/${of.id}`
  await world.admin('PUT', url(role))
  await world.admin('PUT', url(service))
  const token = await world.login('ann', 'x', { project: { id: project.id } })
  const roles = async () => (await world.identity.validator.validate(token))?.roles
  assert.deepEqual(await roles(), ['member', 'reader', 'service'])
  await world.admin('DELETE', url(role))
  assert.deepEqual(await roles(), ['service'])
  await world.admin('DELETE', url(service))
  assert.equal(await roles(), undefined)
})

test('the administrator of a domain may grant within it and not beyond', async () => {
  const { world, user, role } = await people()
  await using _ = world
  const { domain } = await world.admin('POST', '/v3/domains', { domain: { name: 'other' } })
  const { user: boss } = await world.admin('POST', '/v3/users', {
    user: { name: 'boss', password: 'x', domain_id: domain.id },
  })
  const { project } = await world.admin('POST', '/v3/projects', {
    project: { name: 'p', domain_id: domain.id },
  })
  const [manager] = (await world.admin('GET', '/v3/roles?name=manager')).roles
  await world.admin('PUT', `/v3/domains/${domain.id}/users/${boss.id}/roles/${manager.id}`)
  const auth = {
    identity: { methods: ['password'], password: { user: { id: boss.id, password: 'x' } } },
    scope: { domain: { id: domain.id } },
  }
  const login = await world.call('POST', '/v3/auth/tokens', undefined, { auth })
  const token = String(login.headers['x-subject-token'])
  const own = `/v3/projects/${project.id}/users/${boss.id}/roles`
  assert.equal((await world.call('GET', own, token)).status, 200)
  assert.equal((await world.call('PUT', `${own}/${role.id}`, token)).status, 403)
  assert.equal(
    (await world.call('GET', `/v3/projects/${project.id}/users/${user.id}/roles`, token)).status,
    403,
  )
})
