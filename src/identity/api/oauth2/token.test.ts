import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld, type World } from '../identity-world.ts'

async function ask(world: World, client: string | undefined, form = 'grant_type=client_credentials') {
  const reply = await world.identity.app.inject({
    method: 'POST',
    url: '/v3/OS-OAUTH2/token',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client === undefined ? {} : { authorization: client }),
    },
    payload: form,
  })
  return { status: reply.statusCode, body: reply.json(), headers: reply.headers }
}

const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

test('an application credential is a client that is given a token', async () => {
  await using world = await startWorld()
  const { users } = await world.admin('GET', '/v3/users?name=admin')
  const path = `/v3/users/${users[0].id}/application_credentials`
  const { application_credential: client } = await world.admin('POST', path, {
    application_credential: { name: 'client' },
  })
  const { status, body } = await ask(world, basic(client.id, client.secret))
  assert.deepEqual([status, body.token_type, body.expires_in], [200, 'Bearer', 3600])
  assert.equal((await world.call('GET', '/v3/auth/projects', body.access_token)).status, 200)
  const wrong = await ask(world, basic(client.id, 'guess'))
  assert.deepEqual([wrong.status, wrong.body.error], [401, 'invalid_client'])
  assert.match(String(wrong.headers['www-authenticate']), /^Keystone uri=/)
  const other = await ask(world, basic(client.id, client.secret), 'grant_type=password')
  assert.deepEqual(
    [other.status, other.body],
    [
      400,
      {
        error: 'unsupported_grant_type',
        error_description: 'The parameter grant_type password is not supported.',
      },
    ],
  )
})

test('a request that is no client credentials grant is told so in OAuth’s words', async () => {
  await using world = await startWorld()
  const outcome = async (client: string | undefined, form?: string) => {
    const { status, body } = await ask(world, client, form)
    return `${status} ${body.error}`
  }
  assert.equal(await outcome(undefined), '401 invalid_client')
  assert.equal(await outcome('Bearer x'), '401 invalid_client')
  assert.equal(await outcome('Basic !'), '401 invalid_client')
  assert.equal(await outcome(basic('a', 'b'), ''), '400 invalid_request')
  assert.equal((await ask(world, basic('a', 'b'), 'x'.repeat(100_000))).status, 413)
})
