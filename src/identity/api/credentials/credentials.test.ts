import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '../identity-world.ts'

async function withAnn() {
  const world = await startWorld()
  const { user } = await world.admin('POST', '/v3/users', { user: { name: 'ann', password: 'x' } })
  const { project } = await world.admin('POST', '/v3/projects', { project: { name: 'p' } })
  const [role] = (await world.admin('GET', '/v3/roles?name=member')).roles
  await world.admin('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${role.id}`)
  const token = await world.login('ann', 'x', { project: { id: project.id } })
  return { world, user, project, token }
}

test('credentials are their owner’s alone, and not in clear in the database', async () => {
  const { world, user, token } = await withAnn()
  await using _ = world
  const credential = { user_id: user.id, type: 'cert', blob: 'very-secret' }
  const made = await world.call('POST', '/v3/credentials', token, { credential })
  assert.deepEqual([made.status, made.body.credential.blob], [201, 'very-secret'])
  const [row] = await world.identity.db.selectFrom('credential').selectAll().execute()
  assert.doesNotMatch(row!.blob, /very-secret/)
  const url = `/v3/credentials/${made.body.credential.id}`
  assert.equal(
    (await world.call('PATCH', url, token, { credential: { blob: 'new' } })).body.credential.blob,
    'new',
  )
  assert.equal((await world.call('GET', '/v3/credentials', token)).body.credentials.length, 1)
  const { id } = (await world.admin('GET', '/v3/users?name=nova')).users[0]
  const other = { user_id: id, type: 'cert', blob: 'x' }
  assert.equal((await world.call('POST', '/v3/credentials', token, { credential: other })).status, 403)
  const nova = await world.login('nova', 'nova-secret')
  assert.equal((await world.call('GET', url, nova)).status, 403)
  assert.deepEqual((await world.call('GET', '/v3/credentials', nova)).body.credentials, [])
  assert.equal((await world.call('DELETE', url, token)).status, 204)
})

test('an EC2 credential needs a project and a blob with an access key, by which it is known', async () => {
  const { world, user, project, token } = await withAnn()
  await using _ = world
  const post = async (of: Record<string, unknown>) =>
    world.call('POST', '/v3/credentials', token, { credential: { user_id: user.id, type: 'ec2', ...of } })
  const blob = JSON.stringify({ access: 'key', secret: 'shh' })
  assert.equal((await post({ blob })).status, 400)
  assert.equal((await post({ blob: 'no', project_id: project.id })).status, 400)
  assert.equal((await post({ blob: '{}', project_id: project.id })).status, 400)
  const made = await post({ blob, project_id: project.id })
  assert.match(made.body.credential.id, /^[0-9a-f]{64}$/)
  const wider = JSON.stringify({ access: 'key', secret: 'shh', trust_id: 't' })
  const url = `/v3/credentials/${made.body.credential.id}`
  assert.equal((await world.call('PATCH', url, token, { credential: { blob: wider } })).status, 400)
  assert.equal((await post({ blob, project_id: project.id })).status, 409)
})

test('a user makes its own EC2 keys', async () => {
  const { world, user, project, token } = await withAnn()
  await using _ = world
  const all = `/v3/users/${user.id}/credentials/OS-EC2`
  const made = await world.call('POST', all, token, { tenant_id: project.id })
  assert.equal(made.status, 201)
  const { access, tenant_id, trust_id } = made.body.credential
  assert.deepEqual([tenant_id, trust_id], [project.id, null])
  assert.equal((await world.call('GET', all, token)).body.credentials.length, 1)
  assert.equal((await world.call('GET', `${all}/${access}`, token)).body.credential.access, access)
  const nova = await world.login('nova', 'nova-secret')
  assert.equal((await world.call('GET', `${all}/${access}`, nova)).status, 403)
  assert.equal((await world.call('GET', all, nova)).status, 403)
  assert.equal((await world.call('POST', all, token, { tenant_id: 'nowhere' })).status, 404)
  assert.equal((await world.call('POST', all, token, {})).status, 400)
  assert.equal((await world.call('DELETE', `${all}/${access}`, token)).status, 204)
})
