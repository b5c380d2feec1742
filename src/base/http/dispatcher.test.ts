import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Type } from 'typebox'
import type { AuthContext } from '../auth/context.ts'
import { Fault } from '../errors.ts'
import { silentLogger } from '../log.ts'
import { createApi } from './app.ts'
import { type HttpCall, parseReply, sendByInject } from './client.ts'
import type { Route } from './route.ts'
import { statusOf } from './status.ts'

const caller = { userId: 'u', projectId: 'p', domainId: null, roles: ['member'] } as unknown as AuthContext
const strict = { additionalProperties: false }
const held = { list: [1] }

const routes: Route<object>[] = [
  {
    get: '/things',
    policy: 'things:list',
    query: Type.Object({ name: Type.Optional(Type.Unknown()) }, strict),
    handler: (request) => ({ query: request.query, version: request.microversion }),
  },
  { get: '/things/detail', policy: 'things:list', handler: () => held },
  { get: '/things/:id', policy: 'things:list', handler: (request) => ({ id: request.params['id'] }) },
  {
    post: '/things',
    policy: 'things:list',
    body: Type.Object({ name: Type.String() }, strict),
    status: 201,
    handler: (request) => {
      request.setHeader('Location', '/things/1')
      return { ...(request.body as object), at: new Date(0), none: undefined }
    },
  },
  { delete: '/things/:id', policy: 'things:list', handler: () => undefined },
  { put: '/things/:id/file', policy: 'things:list', rawBody: true, handler: () => ({ put: true }) },
  { get: '/text', policy: null, handler: () => 'plain' },
  { get: '/secret', policy: 'secret', handler: () => ({}) },
  {
    get: '/full',
    policy: 'things:list',
    handler: () => {
      throw new Fault('conflict', 'no room')
    },
  },
  {
    get: '/broken',
    policy: 'things:list',
    handler: () => {
      throw new Error('secret detail')
    },
  },
]

const makeApp = () =>
  createApi({
    name: 'things',
    routes,
    deps: {},
    log: silentLogger,
    tokens: { validate: async (token) => (token === 'good' ? caller : undefined) },
    policy: { check: (rule) => rule !== 'secret' },
    versions: { service: 'compute', min: '2.1', max: '2.30' },
    renderFault: (fault) => ({ status: statusOf[fault.kind], body: { message: fault.message } }),
    identityUri: 'http://controller:5000',
    maxBodyBytes: 1000,
    requestIdHeader: 'x-thing-request-id',
  })

const good = { 'x-auth-token': 'good' }
const newest = { ...good, 'openstack-api-version': 'compute latest' }

const calls: readonly HttpCall[] = [
  { method: 'GET', path: '/things?name=a&name=b%20c', headers: newest },
  { method: 'GET', path: '/things?other=1', headers: good },
  { method: 'GET', path: '/things', headers: { 'X-Auth-Token': 'good' } },
  { method: 'GET', path: '/things', headers: { ...good, 'openstack-api-version': 'compute 9.9' } },
  { method: 'GET', path: '/things', headers: { 'x-auth-token': 'bad' } },
  { method: 'GET', path: '/things' },
  { method: 'GET', path: '/things/a%20b', headers: good },
  { method: 'GET', path: '/things/1/', headers: good },
  { method: 'POST', path: '/things', headers: good, body: { name: 'x' } },
  { method: 'POST', path: '/things', headers: good, body: { name: 1 } },
  { method: 'POST', path: '/things', headers: good, body: { name: 'x'.repeat(2000) } },
  { method: 'POST', path: '/things', headers: good },
  { method: 'PUT', path: '/things', headers: good, body: {} },
  { method: 'DELETE', path: '/things/1', headers: good },
  { method: 'PUT', path: '/things/1/file', headers: good, body: Readable.from(['x']) },
  { method: 'GET', path: '/text' },
  { method: 'GET', path: '/secret', headers: good },
  { method: 'GET', path: '/full', headers: good },
  { method: 'GET', path: '/broken', headers: good },
  { method: 'GET', path: '/nowhere', headers: good },
]

/** Not the same twice, or only of sockets. */
const passing = new Set([
  'x-openstack-request-id',
  'x-thing-request-id',
  'date',
  'content-length',
  'connection',
])
const lasting = (headers: object) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !passing.has(name))
      .map(([name, value]) => [name, String(value).replace('; charset=utf-8', '')]),
  )

for (const call of calls) {
  const what = `${call.method} ${call.path.slice(0, 40)} ${JSON.stringify(call.body ?? '').slice(0, 20)}`
  test(`a call within the process is answered as one from outside: ${what}`, async () => {
    await using app = makeApp()
    const payload = call.body instanceof Readable ? 'x' : JSON.stringify(call.body)
    const type =
      payload === undefined
        ? {}
        : { 'content-type': call.body instanceof Readable ? 'text/x' : 'application/json' }
    const outside = await app.inject({
      method: call.method,
      url: call.path,
      headers: { ...type, ...call.headers },
      ...(payload === undefined ? {} : { payload }),
    })
    const inside = await sendByInject(app)(call)
    assert.equal(inside.status, outside.statusCode)
    assert.deepEqual(lasting(inside.headers), lasting(outside.headers))
    assert.deepEqual(inside.body, parseReply(outside.payload, outside.headers as Record<string, string>))
    for (const name of ['x-openstack-request-id', 'x-thing-request-id'])
      assert.equal(name in inside.headers, name in outside.headers)
  })
}

test('neither side of a call within the process can change what the other holds', async () => {
  await using app = makeApp()
  const reply = await sendByInject(app)({ method: 'GET', path: '/things/detail', headers: good })
  ;(reply.body as typeof held).list.push(2)
  assert.deepEqual(held, { list: [1] })
})
