import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld, type World } from '../identity-world.ts'

async function create(world: World, user: Record<string, unknown>) {
  return (await world.admin('POST', '/v3/users', { user })).user
}

test('a user is shown with what was said of it, never with its password', async () => {
  await using world = await startWorld()
  const user = await create(world, {
    name: 'ann',
    password: 'x',
    email: 'ann@example.org',
    description: 'first',
    default_project_id: 'abc',
    options: { lock_password: true },
  })
  assert.deepEqual(user, {
    id: user.id,
    name: 'ann',
    email: 'ann@example.org',
    description: 'first',
    domain_id: 'default',
    default_project_id: 'abc',
    enabled: true,
    password_expires_at: null,
    options: { lock_password: true },
    links: { self: `http://localhost:80/v3/users/${user.id}` },
  })
  const unset = await world.admin('PATCH', `/v3/users/${user.id}`, { user: { default_project_id: null } })
  assert.equal('default_project_id' in unset.user, false)
})

test('names are unique in a domain; bodies are checked', async () => {
  await using world = await startWorld()
  await create(world, { name: 'ann' })
  const post = async (user: unknown) =>
    (await world.call('POST', '/v3/users', world.adminToken, { user })).status
  assert.equal(await post({ name: 'ann' }), 409)
  assert.equal(await post({ name: ' ' }), 400)
  assert.equal(await post({ name: 'b', enabled: 'true' }), 400)
  assert.equal(await post({ name: 'b', domain_id: 'nowhere' }), 404)
  assert.equal(await post({ name: 'b', password: 'x'.repeat(5000) }), 403)
  assert.equal(await post({ name: 'b', default_project_id: 'default' }), 400)
})

test('a user that is disabled, or whose password is reset, loses its tokens for good', async () => {
  await using world = await startWorld()
  const { id } = await create(world, { name: 'ann', password: 'x' })
  const works = async (token: string) => (await world.call('GET', '/v3/auth/projects', token)).status === 200
  const patch = (user: unknown) => world.admin('PATCH', `/v3/users/${id}`, { user })
  const first = await world.login('ann', 'x')
  assert.equal(await works(first), true)
  await patch({ enabled: false })
  assert.equal(await works(first), false)
  await assert.rejects(world.login('ann', 'x'))
  await patch({ enabled: true })
  assert.equal(await works(first), false)
  world.clock.advance(1)
  const second = await world.login('ann', 'x')
  await patch({ password: 'y' })
  assert.equal(await works(second), false)
  world.clock.advance(1)
  assert.equal(await works(await world.login('ann', 'y')), true)
})

test('who knows the old password may change it, without a token; then old tokens are over', async () => {
  await using world = await startWorld()
  const { id } = await create(world, { name: 'ann', password: 'x' })
  const token = await world.login('ann', 'x')
  const change = async (user: unknown) =>
    (await world.call('POST', `/v3/users/${id}/password`, undefined, { user })).status
  assert.equal(await change({ original_password: 'wrong', password: 'y' }), 401)
  assert.equal(await change({ password: 'y' }), 400)
  assert.equal(await change({ original_password: 'x', password: 'y' }), 204)
  assert.equal((await world.call('GET', '/v3/auth/projects', token)).status, 401)
  await assert.rejects(world.login('ann', 'x'))
  world.clock.advance(1)
  await world.login('ann', 'y')
  await world.admin('PATCH', `/v3/users/${id}`, { user: { options: { lock_password: true } } })
  assert.equal(await change({ original_password: 'y', password: 'z' }), 400)
})

test('a user sees itself and nobody else', async () => {
  await using world = await startWorld()
  const ann = await create(world, { name: 'ann', password: 'x' })
  const ben = await create(world, { name: 'ben', password: 'x' })
  const token = await world.login('ann', 'x')
  const status = async (url: string) => (await world.call('GET', url, token)).status
  assert.equal(await status(`/v3/users/${ann.id}`), 200)
  assert.equal(await status(`/v3/users/${ann.id}/groups`), 200)
  assert.equal(await status(`/v3/users/${ben.id}`), 403)
  assert.equal(await status(`/v3/users/${ben.id}/groups`), 403)
  assert.equal(await status(`/v3/users/${ben.id}/projects`), 403)
  assert.equal(await status('/v3/users'), 403)
})

test('a login without a scope gets the default project where the user has a role there', async () => {
  await using world = await startWorld()
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'home' } })
  const { id } = await create(world, { name: 'ann', password: 'x', default_project_id: project.id })
  const scopeOf = async () =>
    (await world.identity.validator.validate(await world.login('ann', 'x')))?.projectId
  assert.equal(await scopeOf(), null)
  const [role] = (await world.admin('GET', '/v3/roles?name=reader')).roles
  await world.admin('PUT', `/v3/projects/${project.id}/users/${id}/roles/${role.id}`)
  assert.equal(await scopeOf(), project.id)
})
