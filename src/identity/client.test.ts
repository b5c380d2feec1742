import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '#base/errors.ts'
import { type Send, sendByInject } from '#base/http/client.ts'
import { startWorld } from './api/identity-world.ts'
import type { Remembered, SharedTokenCache } from './client/token-cache.ts'
import { findEndpoint, passwordAuthenticator, remoteValidator, withFreshToken } from './client.ts'

const nova = { username: 'nova', password: 'nova-secret', projectName: 'service' }

function counting(send: Send): { send: Send; calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    send: (call) => {
      calls.push(`${call.method} ${call.path}`)
      return send(call)
    },
  }
}

test('a service logs in once, again before its token ends, and says why it could not', async () => {
  await using world = await startWorld()
  const { send, calls } = counting(sendByInject(world.identity.app))
  const source = passwordAuthenticator(send, nova, world.clock)
  const [first, same] = await Promise.all([source(), source()])
  assert.equal(first, same)
  assert.equal(await source(), first)
  assert.equal(calls.length, 1)
  world.clock.advance(3400)
  assert.notEqual(await source(), first)
  const wrong = passwordAuthenticator(send, { ...nova, password: 'x' }, world.clock)
  await assert.rejects(wrong(), (error) => isFault(error, 'unavailable'))
})

test('a service whose token is refused logs in again; for another’s token it does not', async () => {
  await using world = await startWorld()
  const { send, calls } = counting(sendByInject(world.identity.app))
  const source = passwordAuthenticator(send, nova, world.clock)
  const fresh = withFreshToken(send, source)
  const own = await source()
  const headers = { 'x-auth-token': own, 'x-subject-token': own }
  const show = { method: 'GET', path: '/v3/auth/catalog' } as const
  await send({ method: 'DELETE', path: '/v3/auth/tokens', headers })
  assert.equal((await send({ ...show, headers })).status, 401)
  assert.equal((await fresh({ ...show, headers })).status, 200)
  const asked = calls.length
  assert.equal((await fresh({ ...show, headers: { 'x-auth-token': 'a user’s' } })).status, 401)
  assert.equal(calls.length, asked + 1)
})

test('a remote validator says what the local one does, asks once in a while, and learns of revocation', async () => {
  await using world = await startWorld()
  const { send, calls } = counting(sendByInject(world.identity.app))
  const validator = remoteValidator(send, passwordAuthenticator(send, nova, world.clock), {
    clock: world.clock,
  })
  const { extra: _, ...local } = (await world.identity.validator.validate(world.adminToken))!
  const { extra: __, ...remote } = (await validator.validate(world.adminToken))!
  assert.deepEqual(remote, local)
  const asked = calls.length
  await validator.validate(world.adminToken)
  assert.equal(calls.length, asked)
  assert.equal(await validator.validate('forged'), undefined)
  await world.call('DELETE', '/v3/auth/tokens', world.adminToken, undefined, {
    'x-subject-token': world.adminToken,
  })
  world.clock.advance(31)
  assert.equal(await validator.validate(world.adminToken), undefined)
})

test('what one validator found out another learns from the cache that they share', async () => {
  await using world = await startWorld()
  const { send, calls } = counting(sendByInject(world.identity.app))
  const source = passwordAuthenticator(send, nova, world.clock)
  const held = new Map<string, Remembered>()
  const shared: SharedTokenCache = {
    find: async (token) => held.get(token),
    remember: async (token, remembered) => void held.set(token, remembered),
    [Symbol.dispose]: () => undefined,
  }
  const [one, two, careful] = [30, 30, 0].map((cacheSeconds) =>
    remoteValidator(send, source, { shared, cacheSeconds, clock: world.clock }),
  )
  const context = await one!.validate(world.adminToken)
  const asked = calls.length
  assert.deepEqual(await two!.validate(world.adminToken), context)
  assert.equal(calls.length, asked)
  await careful!.validate(world.adminToken)
  assert.equal(calls.length, asked + 1)
  world.clock.advance(31)
  await two!.validate(world.adminToken)
  assert.equal(calls.length, asked + 2)
  await one!.validate('forged')
  assert.deepEqual([...held.keys()], [world.adminToken])
})

test('an endpoint is found by the catalog of one’s own token', async () => {
  await using world = await startWorld()
  const send = sendByInject(world.identity.app)
  const source = passwordAuthenticator(send, nova, world.clock)
  assert.equal(await findEndpoint(send, source, { type: 'compute' }), 'http://c:8774/v2.1')
  await assert.rejects(findEndpoint(send, source, { type: 'dns' }), (error) => isFault(error, 'unavailable'))
})
