import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Type } from 'typebox'
import type { AuthContext } from '../auth/context.ts'
import { isFault } from '../errors.ts'
import { silentLogger } from '../log.ts'
import { createApi } from './app.ts'
import type { Route } from './route.ts'
import { statusOf } from './status.ts'

const caller = { userId: 'u', projectId: 'p', domainId: null, roles: ['member'] } as unknown as AuthContext

const narrow = { ...caller, accessRules: [{ service: 'things', method: 'GET', path: '/things/{id}' }] }
const callers: Record<string, AuthContext> = { good: caller, narrow }

const routes: Route<{ greeting: string }>[] = [
  { get: '/', policy: null, handler: () => ({ versions: [] }) },
  {
    get: '/things/:id',
    policy: 'things:show',
    handler: (request, deps) => ({ id: request.params['id'], ...deps }),
  },
  { get: '/new', policy: 'things:show', since: '2.10', until: '2.20', handler: () => ({}) },
  {
    post: '/things',
    policy: 'things:create',
    body: Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
    status: 202,
    handler: () => ({ created: true }),
  },
  {
    post: '/things/:id/action',
    action: 'stop',
    policy: 'things:show',
    status: 202,
    handler: () => undefined,
  },
  { post: '/things/:id/action', action: 'start', since: '2.5', policy: 'things:show', handler: () => ({}) },
  {
    get: '/broken',
    policy: 'things:show',
    handler: () => {
      throw new Error('secret detail')
    },
  },
]

function world() {
  return createApi({
    name: 'things',
    routes,
    deps: { greeting: 'hello' },
    log: silentLogger,
    tokens: { validate: async (token) => callers[token] },
    policy: { check: (rule) => rule !== 'things:create' || caller.roles.includes('admin') === false },
    versions: { service: 'compute', min: '2.1', max: '2.30', legacyHeader: 'X-OpenStack-Nova-API-Version' },
    renderFault: (fault) => ({ status: statusOf[fault.kind], body: { message: fault.message } }),
    identityUri: 'http://controller:5000',
  })
}

const token = { 'x-auth-token': 'good' }

test('a public route needs no token; every other answers 401 with the way to identity', async () => {
  const app = world()
  assert.equal((await app.inject({ url: '/' })).statusCode, 200)
  for (const url of ['/things/1', '/nowhere', '/new']) {
    const reply = await app.inject({ url })
    assert.equal(reply.statusCode, 401, url)
    assert.equal(reply.headers['www-authenticate'], 'Keystone uri="http://controller:5000"')
  }
  const reply = await app.inject({ url: '/things/1', headers: token })
  assert.deepEqual(reply.json(), { id: '1', greeting: 'hello' })
  assert.match(String(reply.headers['x-openstack-request-id']), /^req-/)
})

test('a credential with access rules gets through with what they name, and with nothing else', async () => {
  const app = world()
  const headers = { 'x-auth-token': 'narrow' }
  const status = async (method: 'GET' | 'POST', url: string) =>
    (await app.inject({ method, url, headers })).statusCode
  assert.deepEqual([await status('GET', '/things/1?x=1'), await status('POST', '/things')], [200, 401])
  assert.equal(await status('GET', '/new'), 401)
})

test('microversions are negotiated, and a route outside its versions is not there', async () => {
  const app = world()
  const at = async (version: string, url = '/new') =>
    (await app.inject({ url, headers: { ...token, 'openstack-api-version': `compute ${version}` } }))
      .statusCode
  assert.deepEqual(
    [await at('2.9'), await at('2.10'), await at('2.20'), await at('2.21')],
    [404, 200, 200, 404],
  )
  assert.deepEqual([await at('2.31'), await at('latest'), await at('x')], [406, 404, 400])
  const legacy = await app.inject({
    url: '/things/1',
    headers: { ...token, 'x-openstack-nova-api-version': '2.7' },
  })
  assert.equal(legacy.headers['openstack-api-version'], 'compute 2.7')
})

test('bad bodies, types, methods and paths each get their status and change nothing', async () => {
  const app = world()
  const post = async (payload: string | Buffer, type = 'application/json') => {
    const reply = await app.inject({
      method: 'POST',
      url: '/things',
      headers: { ...token, 'content-type': type },
      payload,
    })
    return [reply.statusCode, reply.json().message]
  }
  assert.deepEqual((await post('{"name":"a"}'))[0], 202)
  assert.deepEqual(await post('{"name":""}'), [
    400,
    "Invalid input for field/attribute name. Value: . '' is too short",
  ])
  assert.deepEqual(await post('{"name":"a","x":1}'), [
    400,
    "Additional properties are not allowed ('x' was unexpected)",
  ])
  assert.equal((await post('{'))[0], 400)
  assert.deepEqual(await post(`{"name":${'['.repeat(5000)}${']'.repeat(5000)}}`), [
    400,
    'Malformed request body: it is nested more than 200 levels deep.',
  ])
  assert.equal((await post(`{"name":"${'[{'.repeat(500)}\\""}`))[0], 202)
  assert.equal((await post('<a/>', 'text/xml'))[0], 415)
  assert.equal((await post('x'.repeat(2_000_000)))[0], 413)
  const wrong = await app.inject({ method: 'DELETE', url: '/things', headers: token })
  assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'POST'])
  assert.equal((await app.inject({ url: '/nowhere', headers: token })).statusCode, 404)
})

test('a client that is still sending a body that is too big reads why it is refused, and goes on', async () => {
  const app = world()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const answers = socket.setEncoding('utf8')[Symbol.asyncIterator]()
  const half = 'x'.repeat(1_000_000)
  const head = 'POST /things HTTP/1.1\r\nhost: h\r\nx-auth-token: good\r\ncontent-type: application/json'
  socket.write(`${head}\r\ncontent-length: 2000000\r\n\r\n${half}`)
  await setTimeout(20)
  socket.write(half)
  assert.match((await answers.next()).value, /^HTTP\/1.1 413 /)
  socket.write(`${head}\r\nconnection: close\r\ncontent-length: 2000000\r\n\r\n${half}`)
  await setTimeout(20)
  socket.write(half)
  const last = (await answers.next()).value
  assert.match(last, /^HTTP\/1.1 413 /)
  assert.match(last, /^connection: close\r$/im)
  assert.equal((await answers.next()).done, true)
  await app.close()
})

test('an action is chosen by its key and its microversion', async () => {
  const app = world()
  const act = async (payload: object, version = '2.1') =>
    (
      await app.inject({
        method: 'POST',
        url: '/things/1/action',
        headers: { ...token, 'openstack-api-version': `compute ${version}` },
        payload,
      })
    ).statusCode
  assert.deepEqual(
    [await act({ stop: null }), await act({ start: null }), await act({ start: {} }, '2.5')],
    [202, 400, 200],
  )
})

test('a bug is a 500 that tells nothing', async () => {
  const reply = await world().inject({ url: '/broken', headers: token })
  assert.equal(reply.statusCode, 500)
  assert.doesNotMatch(reply.payload, /secret/)
  assert.equal(isFault(new Error('x')), false)
})
