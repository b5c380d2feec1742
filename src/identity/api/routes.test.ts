import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methodAndPath } from '#base/http/table.ts'
import { startWorld } from './identity-world.ts'
import { policyDefaults } from './policy-defaults.ts'
import { guardedRoutes } from './routes.ts'

const filled = (path: string): string => path.replace(/:\w+/g, 'x')

const calls = guardedRoutes.map((route) => {
  const [method, path] = methodAndPath({ ...route, policy: '', body: undefined as never, handler: () => {} })
  return { method, url: filled(path), route }
})

test('every route without a token is a 401', async () => {
  await using world = await startWorld()
  for (const { method, url } of calls) {
    const reply = await world.call(method, url, undefined, method === 'GET' ? undefined : {})
    assert.equal(reply.status, 401, `${method} ${url}`)
  }
})

/** What a user without any role may use: things of its own, and what is public to users. */
const open = [
  '/v3/auth/',
  '/v3/OS-FEDERATION/',
  '/v3/regions',
  '/v3/registered_limits',
  '/v3/limits',
  '/v3/credentials',
]

test('a stranger is told 403 or 404 by every route that is not for all, whatever its body', async () => {
  await using world = await startWorld()
  await world.admin('POST', '/v3/users', { user: { name: 'stranger', password: 'x', domain_id: 'default' } })
  const token = await world.login('stranger', 'x')
  for (const { method, url } of calls) {
    const isOpen = open.some((prefix) => url.startsWith(prefix))
    if (isOpen && method === 'GET') continue
    const reply = await world.call(method, url, token, method === 'GET' ? undefined : {})
    assert.ok([403, 404].includes(reply.status), `${method} ${url}: ${reply.status}`)
  }
})

test('every rule that a route names has a default', () => {
  for (const { route } of calls) {
    if (typeof route.rule === 'string') assert.ok(route.rule in policyDefaults, route.rule)
  }
})

test('a wrong method, a body that is no JSON and one that is too big each get their status', async () => {
  await using world = await startWorld()
  const post = async (payload: string, type = 'application/json') => {
    const headers = { 'x-auth-token': world.adminToken, 'content-type': type }
    const reply = await world.identity.app.inject({ method: 'POST', url: '/v3/users', headers, payload })
    return [reply.statusCode, reply.json().error.code]
  }
  assert.deepEqual(await post('{'), [400, 400])
  assert.deepEqual(await post('[]'), [400, 400])
  assert.deepEqual(await post('"x"'), [400, 400])
  assert.deepEqual(await post('x'.repeat(2_000_000)), [413, 413])
  assert.deepEqual(await post('<user/>', 'application/xml'), [415, 415])
  const wrong = await world.call('PUT', '/v3/users', world.adminToken, {})
  assert.deepEqual([wrong.status, wrong.body.error.title], [405, 'Method Not Allowed'])
  assert.equal((await world.call('GET', '/v3/nowhere', world.adminToken)).status, 404)
})
