import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { projectScope, startWorld, type World } from '../identity-world.ts'

const e = encodeURIComponent

/** The header of a request to the test's own address, signed with HMAC-SHA1. */
function sign(world: World, path: string, oauth: Record<string, string>, secrets: [string, string?]): string {
  const parameters: Record<string, string> = {
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: String(Math.floor(world.clock.now() / 1000)),
    oauth_nonce: '42',
    oauth_version: '1.0',
    ...oauth,
  }
  const list = Object.keys(parameters)
    .sort()
    .map((key) => `${key}=${e(parameters[key]!)}`)
    .join('&')
  const base = `POST&${e(`http://localhost:80${path}`.replace(':80', ''))}&${e(list)}`
  const key = `${secrets[0]}&${secrets[1] ?? ''}`
  parameters['oauth_signature'] = createHmac('sha1', key).update(base).digest('base64')
  return `OAuth ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${e(value)}"`)
    .join(', ')}`
}

async function post(world: World, path: string, headers: Record<string, string>) {
  const reply = await world.identity.app.inject({ method: 'POST', url: path, headers })
  return { status: reply.statusCode, form: new URLSearchParams(reply.payload) }
}

/** A consumer with a request token for the project `admin`. */
async function begin(world: World) {
  const { consumer } = await world.admin('POST', '/v3/OS-OAUTH1/consumers', {
    consumer: { description: 'x' },
  })
  const { projects } = await world.admin('GET', '/v3/projects?name=admin')
  const path = '/v3/OS-OAUTH1/request_token'
  const oauth = { oauth_consumer_key: consumer.id, oauth_callback: 'oob' }
  const project = { 'requested-project-id': projects[0].id }
  const answer = await post(world, path, {
    authorization: sign(world, path, oauth, [consumer.secret]),
    ...project,
  })
  assert.equal(answer.status, 201)
  return { consumer, projectId: projects[0].id as string, request: answer.form }
}

async function exchange(world: World, begun: Awaited<ReturnType<typeof begin>>, verifier: string) {
  const path = '/v3/OS-OAUTH1/access_token'
  const oauth = {
    oauth_consumer_key: begun.consumer.id,
    oauth_token: begun.request.get('oauth_token')!,
    oauth_verifier: verifier,
  }
  const secrets: [string, string] = [begun.consumer.secret, begun.request.get('oauth_token_secret')!]
  return post(world, path, { authorization: sign(world, path, oauth, secrets) })
}

async function authorize(world: World, begun: Awaited<ReturnType<typeof begin>>, role = 'reader') {
  const path = `/v3/OS-OAUTH1/authorize/${begun.request.get('oauth_token')}`
  const answer = await world.admin('PUT', path, { roles: [{ name: role }] })
  return answer.token.oauth_verifier as string
}

test('a consumer acts for the user who authorized it, with the roles handed on, until that is taken back', async () => {
  await using world = await startWorld()
  const begun = await begin(world)
  const access = await exchange(world, begun, await authorize(world, begun))
  assert.equal(access.status, 201)
  const path = '/v3/auth/tokens'
  const oauth = { oauth_consumer_key: begun.consumer.id, oauth_token: access.form.get('oauth_token')! }
  const secrets: [string, string] = [begun.consumer.secret, access.form.get('oauth_token_secret')!]
  const auth = { identity: { methods: ['oauth1'], oauth1: {} } }
  const login = await world.call(
    'POST',
    path,
    undefined,
    { auth },
    { authorization: sign(world, path, oauth, secrets) },
  )
  assert.equal(login.status, 201)
  const { token } = login.body
  assert.deepEqual(token.methods, ['oauth1'])
  assert.equal(token.project.id, begun.projectId)
  assert.deepEqual(
    token.roles.map((role: { name: string }) => role.name),
    ['reader'],
  )
  assert.equal(token['OS-OAUTH1'].consumer_id, begun.consumer.id)
  const held = String(login.headers['x-subject-token'])
  assert.equal((await world.call('GET', '/v3/auth/projects', held)).status, 200)
  const rescope = { identity: { methods: ['token'], token: { id: held } }, scope: projectScope('admin') }
  assert.equal((await world.call('POST', path, undefined, { auth: rescope })).status, 403)
  const mine = `/v3/users/${token.user.id}/OS-OAUTH1/access_tokens`
  const { access_tokens } = await world.admin('GET', mine)
  assert.equal(access_tokens.length, 1)
  const { roles } = await world.admin('GET', `${mine}/${access_tokens[0].id}/roles`)
  assert.equal(roles[0].name, 'reader')
  await world.admin('DELETE', `${mine}/${access_tokens[0].id}`)
  assert.equal((await world.call('GET', '/v3/auth/projects', held)).status, 401)
})

test('a request token is good once, for its own consumer, with its verifier, and not for long', async () => {
  await using world = await startWorld()
  const begun = await begin(world)
  assert.equal((await exchange(world, begun, 'guessed1')).status, 401)
  const verifier = await authorize(world, begun)
  assert.equal((await exchange(world, begun, 'guessed1')).status, 401)
  const { consumer: other } = await world.admin('POST', '/v3/OS-OAUTH1/consumers', { consumer: {} })
  assert.equal((await exchange(world, { ...begun, consumer: other }, verifier)).status, 401)
  assert.equal((await exchange(world, begun, verifier)).status, 201)
  assert.equal((await exchange(world, begun, verifier)).status, 404)
  const late = await begin(world)
  world.clock.advance(8 * 3600 + 1)
  assert.equal((await exchange(world, late, 'whatever')).status, 401)
})

test('nobody authorizes roles without having them, and a bad signature gets nothing', async () => {
  await using world = await startWorld()
  const begun = await begin(world)
  const { role } = await world.admin('POST', '/v3/roles', { role: { name: 'operator' } })
  const path = `/v3/OS-OAUTH1/authorize/${begun.request.get('oauth_token')}`
  const put = (roles: unknown) => world.call('PUT', path, world.adminToken, { roles })
  assert.equal((await put([{ id: role.id }])).status, 401)
  assert.equal((await put([{ id: 'nowhere' }])).status, 401)
  assert.equal((await put([{ name: 'nowhere' }])).status, 404)
  assert.equal((await put('reader')).status, 400)
  const wanted = '/v3/OS-OAUTH1/request_token'
  const oauth = { oauth_consumer_key: begun.consumer.id, oauth_callback: 'oob' }
  const forged = sign(world, wanted, oauth, ['wrong'])
  const project = { 'requested-project-id': begun.projectId }
  assert.equal((await post(world, wanted, { authorization: forged, ...project })).status, 401)
  assert.equal((await post(world, wanted, project)).status, 400)
  assert.equal((await post(world, wanted, { authorization: forged })).status, 400)
})

test('a consumer is described, listed and removed, and its secret is shown once', async () => {
  await using world = await startWorld()
  const all = '/v3/OS-OAUTH1/consumers'
  const { consumer } = await world.admin('POST', all, { consumer: { description: 'a', team: 'x' } })
  assert.equal(consumer.secret.length, 32)
  const shown = await world.admin('PATCH', `${all}/${consumer.id}`, { consumer: { description: 'b' } })
  assert.deepEqual(shown.consumer, {
    team: 'x',
    id: consumer.id,
    description: 'b',
    links: { self: `http://localhost:80${all}/${consumer.id}` },
  })
  const refused = await world.call('PATCH', `${all}/${consumer.id}`, world.adminToken, {
    consumer: { secret: 'mine' },
  })
  assert.equal(refused.status, 400)
  assert.equal((await world.admin('GET', all)).consumers.length, 1)
  await world.admin('DELETE', `${all}/${consumer.id}`)
  assert.equal((await world.call('GET', `${all}/${consumer.id}`, world.adminToken)).status, 404)
})
