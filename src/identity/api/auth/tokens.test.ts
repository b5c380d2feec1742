import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectScope, startWorld } from '../identity-world.ts'

test('a password gives a project-scoped token with the roles, what they imply, and the catalog', async () => {
  await using world = await startWorld()
  const reply = await world.call('GET', '/v3/auth/tokens', world.adminToken, undefined, {
    'x-subject-token': world.adminToken,
  })
  assert.equal(reply.status, 200)
  const { token } = reply.body
  assert.ok(world.adminToken.length <= 255)
  assert.deepEqual(token.methods, ['password'])
  assert.equal(token.project.name, 'admin')
  assert.deepEqual(
    token.roles.map((role: { name: string }) => role.name),
    ['admin', 'manager', 'member', 'reader'],
  )
  assert.equal(token.issued_at, '2026-11-23T12:00:00.000000Z')
  assert.equal(token.expires_at, '2026-11-23T13:00:00.000000Z')
  const swift = token.catalog.find((service: { name: string }) => service.name === 'swift')
  assert.ok(
    swift.endpoints.some((e: { url: string }) => e.url === `http://c:8080/v1/AUTH_${token.project.id}`),
  )
  assert.equal(reply.headers['x-subject-token'], world.adminToken)
  const short = await world.call('GET', '/v3/auth/tokens?nocatalog', world.adminToken, undefined, {
    'x-subject-token': world.adminToken,
  })
  assert.equal(short.body.token.catalog, undefined)
})

test("a domain's name may be written in another case, as keystone's guide does", async () => {
  await using world = await startWorld()
  const domain = { name: 'default' }
  const user = { name: 'admin', password: 'secret', domain }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: 'admin', domain } },
  }
  const reply = await world.call('POST', '/v3/auth/tokens', undefined, { auth })
  assert.deepEqual([reply.status, reply.body.token.project.domain.name], [201, 'Default'])
})

test('unscoped, domain and system scopes give what the user has there, and nothing where it has none', async () => {
  await using world = await startWorld()
  const login = async (scope: unknown) => {
    const user = { name: 'admin', password: 'secret', domain: { name: 'Default' } }
    const auth = { identity: { methods: ['password'], password: { user } }, scope }
    return world.call('POST', '/v3/auth/tokens', undefined, { auth })
  }
  const unscoped = await login('unscoped')
  assert.deepEqual([unscoped.status, unscoped.body.token.roles], [201, undefined])
  const system = await login({ system: { all: true } })
  assert.deepEqual(system.body.token.system, { all: true })
  assert.equal((await login({ domain: { id: 'default' } })).status, 401)
  assert.equal((await login(projectScope('service'))).status, 401)
  assert.equal((await login(projectScope('nowhere'))).status, 401)
  assert.equal((await login({ project: { name: 'admin' } })).status, 400)
  assert.equal((await login({})).status, 400)
})

test('what is wrong with a login is not told apart', async () => {
  await using world = await startWorld()
  for (const user of [
    { name: 'admin', password: 'wrong', domain: { id: 'default' } },
    { name: 'nobody', password: 'secret', domain: { id: 'default' } },
    { id: 'nobody', password: 'secret' },
    { name: 'admin', password: 'secret', domain: { id: 'nowhere' } },
  ]) {
    const auth = { identity: { methods: ['password'], password: { user } } }
    const reply = await world.call('POST', '/v3/auth/tokens', undefined, { auth })
    assert.deepEqual(
      [reply.status, reply.body],
      [
        401,
        {
          error: {
            code: 401,
            title: 'Unauthorized',
            message: 'The request you have made requires authentication.',
          },
        },
      ],
    )
    assert.equal(reply.headers['www-authenticate'], 'Keystone uri="http://controller:5000"')
  }
})

test('bodies that make no sense are refused', async () => {
  await using world = await startWorld()
  const cases: [unknown, number][] = [
    [{}, 400],
    [{ auth: {} }, 400],
    [{ auth: { identity: { methods: [] } } }, 401],
    [{ auth: { identity: { methods: ['password'] } } }, 400],
    [{ auth: { identity: { methods: ['magic'], magic: {} } } }, 401],
    [{ auth: { identity: { methods: ['token'], token: {} } } }, 400],
    [{ auth: { identity: { methods: ['token'], token: { id: 'nonsense' } } } }, 401],
    [[], 400],
  ]
  for (const [body, status] of cases) {
    assert.equal(
      (await world.call('POST', '/v3/auth/tokens', undefined, body)).status,
      status,
      JSON.stringify(body),
    )
  }
})

test('a token can be traded for one of another scope that ends with it and belongs to its chain', async () => {
  await using world = await startWorld()
  const auth = {
    identity: { methods: ['token'], token: { id: world.adminToken } },
    scope: { system: { all: true } },
  }
  world.clock.advance(60)
  const reply = await world.call('POST', '/v3/auth/tokens', undefined, { auth })
  assert.equal(reply.status, 201)
  assert.deepEqual(reply.body.token.methods, ['password', 'token'])
  assert.equal(reply.body.token.expires_at, '2026-11-23T13:00:00.000000Z')
  assert.equal(reply.body.token.audit_ids.length, 2)
})

test('a token ends with its time, and only allow_expired shows it after that', async () => {
  await using world = await startWorld()
  const old = world.adminToken
  world.clock.advance(3601)
  assert.equal((await world.call('GET', '/v3/auth/projects', old)).status, 401)
  const fresh = await world.login('admin', 'secret', projectScope('admin'))
  const subject = { 'x-subject-token': old }
  assert.equal((await world.call('GET', '/v3/auth/tokens', fresh, undefined, subject)).status, 404)
  const grace = '/v3/auth/tokens?allow_expired=1'
  assert.equal((await world.call('GET', grace, fresh, undefined, subject)).status, 200)
})

test('a deleted token is worth nothing, another of the same user still is', async () => {
  await using world = await startWorld()
  const mine = await world.login('nova', 'nova-secret', projectScope('service'))
  const other = await world.login('nova', 'nova-secret', projectScope('service'))
  const subject = { 'x-subject-token': mine }
  assert.equal(
    (await world.call('HEAD', '/v3/auth/tokens', world.adminToken, undefined, subject)).status,
    200,
  )
  assert.equal((await world.call('DELETE', '/v3/auth/tokens', mine, undefined, subject)).status, 204)
  assert.equal((await world.call('GET', '/v3/auth/tokens', world.adminToken, undefined, subject)).status, 404)
  assert.equal(await world.identity.validator.validate(mine), undefined)
  assert.equal((await world.identity.validator.validate(other))?.userName, 'nova')
})

test('keys rotate: old tokens stay valid until their key is dropped', async () => {
  await using world = await startWorld()
  const subject = { 'x-subject-token': world.adminToken }
  const check = () => world.identity.keys.read(world.adminToken) !== undefined
  world.identity.keys.rotate()
  assert.equal(check(), true)
  world.identity.keys.rotate()
  assert.equal(check(), false)
  assert.equal((await world.call('GET', '/v3/auth/tokens', 'forged', undefined, subject)).status, 401)
})

test('bootstrapping twice changes nothing', async () => {
  await using world = await startWorld()
  const count = async () => {
    const tables = ['project', 'user', 'role', 'service', 'endpoint', 'assignment'] as const
    const rows = await Promise.all(
      tables.map((table) => world.identity.db.selectFrom(table).selectAll().execute()),
    )
    return rows.map((of) => of.length)
  }
  const before = await count()
  const { bootstrap } = await import('../identity-world.ts')
  await world.identity.bootstrap(bootstrap)
  assert.deepEqual(await count(), before)
})

test('version discovery needs no token', async () => {
  await using world = await startWorld()
  const root = await world.call('GET', '/')
  assert.equal(root.status, 300)
  assert.equal(root.body.versions.values[0].id, 'v3.14')
  assert.equal((await world.call('GET', '/v3/')).body.version.status, 'stable')
})
