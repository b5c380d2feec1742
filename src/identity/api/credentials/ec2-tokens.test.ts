import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { projectScope, startWorld, type World } from '../identity-world.ts'

interface Key {
  access: string
  secret: string
}

/** A request as an EC2 service hands it on, signed by version 2. */
function signed(key: Key, params: Record<string, string> = {}) {
  const all: Record<string, string> = {
    Action: 'DescribeInstances',
    SignatureVersion: '2',
    SignatureMethod: 'HmacSHA256',
    ...params,
  }
  const query = Object.keys(all)
    .sort()
    .map((name) => `${name}=${encodeURIComponent(all[name]!)}`)
  const text = `GET\ncloud:8788\n/\n${query.join('&')}`
  const signature = createHmac('sha256', key.secret).update(text).digest('base64')
  const request = { verb: 'GET', host: 'cloud:8788', path: '/', params: all, headers: {}, body_hash: '' }
  return { credentials: { access: key.access, signature, ...request } }
}

/** A member of the project `p` with a key for it. */
async function member(world: World, name = 'ann') {
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: `of-${name}` } })
  const { user } = await world.admin('POST', '/v3/users', {
    user: { name, password: 'x', domain_id: 'default' },
  })
  const { roles } = await world.admin('GET', '/v3/roles?name=member')
  await world.admin('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`)
  const token = await world.login(name, 'x', projectScope(`of-${name}`))
  const path = `/v3/users/${user.id}/credentials/OS-EC2`
  const { body } = await world.call('POST', path, token, { tenant_id: project.id })
  return { project, user, token, key: body.credential as Key }
}

const ask = (world: World, body: unknown, kind = 'ec2tokens') =>
  world.call('POST', `/v3/${kind}`, world.adminToken, body)

test('who signed with an EC2 credential is given a token of its user and project', async () => {
  await using world = await startWorld()
  const { project, user, key, token } = await member(world)
  const answer = await ask(world, signed(key, { Timestamp: '2026-11-23T12:00:00Z' }))
  assert.equal(answer.status, 200)
  assert.deepEqual([answer.body.token.user.id, answer.body.token.project.id], [user.id, project.id])
  assert.deepEqual(answer.body.token.methods, ['ec2credential'])
  const given = String(answer.headers['x-subject-token'])
  assert.equal((await world.call('GET', '/v3/auth/projects', given)).status, 200)
  const more = await world.call('POST', `/v3/users/${user.id}/credentials/OS-EC2`, given, {
    tenant_id: project.id,
  })
  assert.equal(more.status, 403)
  assert.equal((await world.call('POST', '/v3/ec2tokens', token, signed(key))).status, 403)
  assert.equal((await world.call('GET', '/v3/ec2tokens', world.adminToken)).status, 405)
})

test('a wrong signature, an old one and none at all get nothing', async () => {
  await using world = await startWorld()
  const { key } = await member(world)
  assert.equal((await ask(world, signed({ ...key, secret: 'guess' }))).status, 401)
  assert.equal((await ask(world, signed({ ...key, access: 'guess' }))).status, 401)
  assert.equal((await ask(world, signed(key, { Timestamp: '2026-11-23T11:44:59Z' }))).status, 401)
  assert.equal((await ask(world, signed(key, { Timestamp: 'noon' }))).status, 401)
  assert.equal((await ask(world, { credentials: { access: key.access } })).status, 401)
  assert.equal((await ask(world, {})).status, 400)
  assert.equal((await ask(world, { credentials: [1] })).status, 401)
})

test('a text that S3 had signed is good too', async () => {
  await using world = await startWorld()
  const { user, key } = await member(world)
  const text = Buffer.from('GET\n\n\n\n/bucket')
  const signature = createHmac('sha1', key.secret).update(text).digest('base64')
  const credentials = { access: key.access, signature, token: text.toString('base64url') }
  const answer = await ask(world, { credentials }, 's3tokens')
  assert.deepEqual([answer.status, answer.body.token?.user.id], [200, user.id])
  assert.equal(answer.headers['x-subject-token'], undefined)
  const forged = { ...credentials, token: Buffer.from('DELETE\n\n\n\n/bucket').toString('base64url') }
  assert.equal((await ask(world, { credentials: forged }, 's3tokens')).status, 401)
})

test('a credential that names somebody else’s trust or application credential gets nothing', async () => {
  await using world = await startWorld()
  const victim = await member(world, 'victim')
  const thief = await member(world, 'thief')
  const { roles } = await world.admin('GET', '/v3/roles?name=member')
  const { body: trust } = await world.call('POST', '/v3/OS-TRUST/trusts', victim.token, {
    trust: {
      trustor_user_id: victim.user.id,
      trustee_user_id: (await member(world, 'friend')).user.id,
      impersonation: true,
      project_id: victim.project.id,
      roles: [{ id: roles[0].id }],
    },
  })
  const path = `/v3/users/${victim.user.id}/application_credentials`
  const application = await world.call('POST', path, victim.token, {
    application_credential: { name: 'a' },
  })
  const stolen = [
    { trust_id: trust.trust.id },
    { app_cred_id: application.body.application_credential.id },
    { access_token_id: 'nowhere' },
  ]
  for (const [index, named] of stolen.entries()) {
    const key = { access: `a${index}`, secret: 's' }
    const blob = JSON.stringify({ ...key, ...named })
    const credential = { blob, type: 'ec2', user_id: thief.user.id, project_id: victim.project.id }
    assert.equal((await world.call('POST', '/v3/credentials', thief.token, { credential })).status, 201)
    assert.equal((await ask(world, signed(key))).status, 401)
  }
})
