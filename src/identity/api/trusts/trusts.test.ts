import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

async function trusting() {
  const world = await startWorld()
  const person = async (name: string) =>
    (await world.admin('POST', '/v3/users', { user: { name, password: 'x' } })).user
  const [ann, ben, cid] = [await person('ann'), await person('ben'), await person('cid')]
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  const [role] = (await world.admin('GET', '/v3/roles?name=member')).roles
  const grant = `/v3/projects/${project.id}/users/${ann.id}/roles/${role.id}`
  await world.admin('PUT', grant)
  const annToken = await world.login('ann', 'x', { project: { id: project.id } })
  const create = (of: Record<string, unknown> = {}, as = annToken) =>
    world.call('POST', '/v3/OS-TRUST/trusts', as, {
      trust: {
        trustor_user_id: ann.id,
        trustee_user_id: ben.id,
        project_id: project.id,
        impersonation: false,
        roles: [{ name: 'member' }],
        ...of,
      },
    })
  const use = async (id: string, name = 'ben') => {
    const token = { id: await world.login(name, 'x', 'unscoped') }
    const auth = { identity: { methods: ['token'], token }, scope: { 'OS-TRUST:trust': { id } } }
    return world.call('POST', '/v3/auth/tokens', undefined, { auth })
  }
  return { world, ann, ben, cid, project, grant, annToken, create, use }
}

test('a trustee acts with the roles that the trustor handed on, as itself or as the trustor', async () => {
  const { world, ann, ben, project, create, use } = await trusting()
  await using _ = world
  const made = await create()
  assert.equal(made.status, 201)
  const plain = await use(made.body.trust.id)
  assert.equal(plain.status, 201)
  assert.equal(plain.body.token.user.id, ben.id)
  assert.equal(plain.body.token.project.id, project.id)
  assert.deepEqual(plain.body.token['OS-TRUST:trust'], {
    id: made.body.trust.id,
    trustor_user: { id: ann.id },
    trustee_user: { id: ben.id },
    impersonation: false,
  })
  const posing = await use((await create({ impersonation: true })).body.trust.id)
  assert.equal(posing.body.token.user.id, ann.id)
  const context = await world.identity.validator.validate(String(posing.headers['x-subject-token']))
  assert.deepEqual([context?.userId, context?.roles], [ann.id, ['member', 'reader']])
  assert.equal((await use(made.body.trust.id, 'cid')).status, 403)
})

test('a trust ends by deletion, by time, by use and with the trustor’s role', async () => {
  const { world, grant, annToken, create, use } = await trusting()
  await using _ = world
  const works = async (token: unknown) =>
    (await world.identity.validator.validate(String(token))) !== undefined
  const first = (await create()).body.trust.id
  const token = (await use(first)).headers['x-subject-token']
  assert.equal(await works(token), true)
  assert.equal((await world.call('DELETE', `/v3/OS-TRUST/trusts/${first}`, annToken)).status, 204)
  assert.equal(await works(token), false)
  assert.equal((await world.call('GET', `/v3/OS-TRUST/trusts/${first}`, annToken)).status, 404)
  const once = (await create({ remaining_uses: 1 })).body.trust.id
  assert.equal((await use(once)).status, 201)
  assert.equal((await use(once)).status, 401)
  const short = (await create({ expires_at: '2026-11-23T12:01:00.000000Z' })).body.trust.id
  const shortToken = (await use(short)).headers['x-subject-token']
  world.clock.advance(61)
  assert.equal(await works(shortToken), false)
  assert.equal((await use(short)).status, 401)
  const last = (await create()).body.trust.id
  const lastToken = (await use(last)).headers['x-subject-token']
  await world.admin('DELETE', grant)
  assert.equal(await works(lastToken), false)
})

test('trustor and trustee see a trust with its roles, others do not', async () => {
  const { world, ann, ben, annToken, create } = await trusting()
  await using _ = world
  const { id } = (await create()).body.trust
  const benToken = await world.login('ben', 'x')
  const cidToken = await world.login('cid', 'x')
  const status = async (path: string, token: string) =>
    (await world.call('GET', `/v3/OS-TRUST/trusts${path}`, token)).status
  assert.deepEqual([await status(`/${id}`, annToken), await status(`/${id}`, benToken)], [200, 200])
  assert.equal(await status(`/${id}`, cidToken), 403)
  assert.equal(await status(`?trustor_user_id=${ann.id}`, annToken), 200)
  assert.equal(await status(`?trustor_user_id=${ann.id}`, benToken), 403)
  assert.equal(await status(`?trustee_user_id=${ben.id}`, benToken), 200)
  assert.equal(await status('', benToken), 403)
  const { roles } = (await world.call('GET', `/v3/OS-TRUST/trusts/${id}/roles`, benToken)).body
  assert.equal(roles[0].name, 'member')
  assert.equal(await status(`/${id}/roles/${roles[0].id}`, benToken), 200)
  assert.equal(await status(`/${id}/roles/none`, benToken), 404)
})

test('nobody trusts away what is not its own', async () => {
  const { world, ben, cid, create } = await trusting()
  await using _ = world
  const benToken = await world.login('ben', 'x')
  assert.equal((await create({}, benToken)).status, 403)
  assert.equal((await create({ roles: [{ name: 'admin' }] })).status, 404)
  assert.equal((await create({ roles: [] })).status, 403)
  assert.equal((await create({ trustee_user_id: 'nobody' })).status, 404)
  assert.equal((await create({ expires_at: '2020-01-01T00:00:00Z' })).status, 400)
  assert.equal((await create({ impersonation: 'yes' })).status, 400)
  assert.equal((await create({ trustor_user_id: cid.id }, benToken)).status, 403)
  assert.equal((await create({ trustor_user_id: ben.id }, benToken)).status, 404)
})

test('a trustee hands on what it may, and no more of it', async () => {
  const { world, ann, cid, project, create, use } = await trusting()
  await using _ = world
  const source = (await create({ impersonation: true, allow_redelegation: true })).body.trust
  assert.equal(source.redelegation_count, 3)
  const token = String((await use(source.id)).headers['x-subject-token'])
  const handOn = (of: Record<string, unknown> = {}) => create({ trustee_user_id: cid.id, ...of }, token)
  const passed = (await handOn({ allow_redelegation: true })).body.trust
  assert.deepEqual([passed.redelegated_trust_id, passed.redelegation_count], [source.id, 2])
  assert.equal((await use(passed.id, 'cid')).body.token.project.id, project.id)
  assert.equal((await handOn({ redelegation_count: 3 })).status, 403)
  assert.equal((await handOn({ remaining_uses: 2 })).status, 403)
  const plain = (await create({ impersonation: true })).body.trust
  const plainToken = String((await use(plain.id)).headers['x-subject-token'])
  assert.equal((await create({ trustee_user_id: cid.id, trustor_user_id: ann.id }, plainToken)).status, 403)
})
