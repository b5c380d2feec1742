import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld, type World } from '../identity-world.ts'

async function withAnn() {
  const world = await startWorld()
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  const [role] = (await world.admin('GET', '/v3/roles?name=member')).roles
  await world.admin('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${role.id}`)
  const token = await world.login('ann', 'x', { project: { id: project.id } })
  const all = `/v3/users/${user.id}/application_credentials`
  const create = (of: Record<string, unknown>, as = token) =>
    world.call('POST', all, as, { application_credential: { name: 'robot', ...of } })
  return { world, user, project, role, token, all, create }
}

function logIn(world: World, application_credential: Record<string, unknown>, scope?: unknown) {
  const auth = { identity: { methods: ['application_credential'], application_credential }, scope }
  return world.call('POST', '/v3/auth/tokens', undefined, { auth })
}

test('a program logs in by id or by name, in the project and with the roles it was given', async () => {
  const { world, user, project, create, all, token } = await withAnn()
  await using _ = world
  const made = await create({ description: 'for backups', roles: [{ name: 'reader' }] })
  assert.equal(made.status, 201)
  const { id, secret, roles, unrestricted, expires_at } = made.body.application_credential
  assert.deepEqual([roles.length, roles[0].name, unrestricted, expires_at], [1, 'reader', false, null])
  const byId = await logIn(world, { id, secret })
  assert.equal(byId.status, 201)
  assert.deepEqual(byId.body.token.methods, ['application_credential'])
  assert.equal(byId.body.token.project.id, project.id)
  assert.deepEqual(
    byId.body.token.roles.map((of: { name: string }) => of.name),
    ['reader'],
  )
  assert.deepEqual(byId.body.token.application_credential, { id, name: 'robot', restricted: true })
  assert.equal((await logIn(world, { name: 'robot', secret, user: { id: user.id } })).status, 201)
  const named = { name: 'robot', secret, user: { name: 'ann', domain: { name: 'Default' } } }
  assert.equal((await logIn(world, named)).status, 201)
  assert.equal((await logIn(world, { id, secret: 'wrong' })).status, 401)
  assert.equal((await logIn(world, { id: 'none', secret })).status, 401)
  assert.equal((await logIn(world, { id, secret }, { project: { id: project.id } })).status, 401)
  const shown = (await world.call('GET', `${all}/${id}`, token)).body.application_credential
  assert.equal('secret' in shown, false)
  assert.equal((await world.call('GET', `${all}?name=robot`, token)).body.application_credentials.length, 1)
})

test('it ends when it is deleted, when its time is over and when the user loses the role', async () => {
  const { world, user, project, role, create, all, token } = await withAnn()
  await using _ = world
  const tokenOf = async (of: Record<string, unknown>) => {
    const { id, secret } = (await create(of)).body.application_credential
    const login = await logIn(world, { id, secret })
    return { id, text: String(login.headers['x-subject-token']), expiresAt: login.body.token.expires_at }
  }
  const works = async (text: string) => (await world.identity.validator.validate(text)) !== undefined
  const first = await tokenOf({ name: 'a' })
  assert.equal(await works(first.text), true)
  assert.equal((await world.call('DELETE', `${all}/${first.id}`, token)).status, 204)
  assert.equal(await works(first.text), false)
  const second = await tokenOf({ name: 'b', expires_at: '2026-11-23T12:10:00' })
  assert.equal(second.expiresAt, '2026-11-23T12:10:00.000000Z')
  world.clock.advance(601)
  assert.equal(await works(second.text), false)
  const third = await tokenOf({ name: 'c' })
  await world.admin('DELETE', `/v3/projects/${project.id}/users/${user.id}/roles/${role.id}`)
  assert.equal(await works(third.text), false)
  assert.deepEqual((await world.admin('GET', all)).application_credentials, [])
})

test('nobody makes one for another, with roles it lacks, or with a time that is past', async () => {
  const { world, create, all, token } = await withAnn()
  await using _ = world
  assert.equal((await create({ roles: [{ name: 'admin' }] })).status, 400)
  assert.equal((await create({ roles: [{ name: 'no-such' }] })).status, 404)
  assert.equal((await create({ expires_at: '2020-01-01T00:00:00' })).status, 400)
  assert.equal((await create({ expires_at: 'tomorrow' })).status, 400)
  assert.equal((await create({ name: '' })).status, 400)
  assert.equal((await create({}, world.adminToken)).status, 403)
  assert.equal((await create({})).status, 201)
  assert.equal((await create({})).status, 409)
  const nova = await world.login('nova', 'nova-secret')
  assert.equal((await world.call('GET', all, nova)).status, 403)
  assert.equal((await world.call('GET', all, token)).status, 200)
})

test('only an unrestricted one may make others, and none can be traded for another token', async () => {
  const { world, create } = await withAnn()
  await using _ = world
  const tokenOf = async (of: Record<string, unknown>) => {
    const { id, secret } = (await create(of)).body.application_credential
    return String((await logIn(world, { id, secret })).headers['x-subject-token'])
  }
  const restricted = await tokenOf({ name: 'a' })
  const unrestricted = await tokenOf({ name: 'b', unrestricted: true })
  assert.equal((await create({ name: 'c' }, restricted)).status, 403)
  assert.equal((await create({ name: 'c' }, unrestricted)).status, 201)
  const auth = { identity: { methods: ['token'], token: { id: unrestricted } } }
  assert.equal((await world.call('POST', '/v3/auth/tokens', undefined, { auth })).status, 403)
})

test('access rules come with the token, hold for every service, and only who checks them is shown it', async () => {
  const { world, user, create, token, all } = await withAnn()
  await using _ = world
  const rule = { service: 'compute', method: 'GET', path: '/v2.1/servers' }
  const made = (await create({ access_rules: [rule] })).body.application_credential
  const [{ id: ruleId, ...shown }] = made.access_rules
  assert.deepEqual(shown, rule)
  const login = await logIn(world, { id: made.id, secret: made.secret })
  const robot = String(login.headers['x-subject-token'])
  assert.equal(login.body.token.application_credential.access_rules[0].id, ruleId)
  const look = (headers: Record<string, string>) =>
    world.call('GET', '/v3/auth/tokens', world.adminToken, undefined, {
      'x-subject-token': robot,
      ...headers,
    })
  assert.equal((await look({})).status, 404)
  assert.equal((await look({ 'openstack-identity-access-rules': '1.0' })).status, 200)
  const context = await world.identity.validator.validate(robot)
  assert.equal(context?.accessRules?.[0]?.path, '/v2.1/servers')
  assert.equal((await world.call('GET', '/v3/auth/projects', robot)).status, 401)
  const rules = `/v3/users/${user.id}/access_rules`
  assert.equal((await world.call('GET', `${rules}?service=compute`, token)).body.access_rules.length, 1)
  assert.equal((await world.call('DELETE', `${rules}/${ruleId}`, token)).status, 403)
  await world.call('DELETE', `${all}/${made.id}`, token)
  assert.equal((await world.call('DELETE', `${rules}/${ruleId}`, token)).status, 204)
  assert.equal((await world.call('GET', `${rules}/${ruleId}`, token)).status, 404)
})
