import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idOf } from '#testing/people.ts'
import { testImage } from '../../testing.ts'

test('a shared image is offered to a project, which accepts or rejects it', async () => {
  await using world = await testImage()
  const id = await world.image('alice', { name: 'shared' }, Buffer.from('x'))
  const url = `/v2/images/${id}/members`
  const beta = idOf('beta')
  assert.equal((await world.call('bob', 'GET', `/v2/images/${id}`)).status, 404)
  const added = await world.call('alice', 'POST', url, { member: beta })
  assert.deepEqual([added.status, added.body.status, added.body.member_id], [200, 'pending', beta])
  const list = async (query: string) =>
    (await world.call('bob', 'GET', `/v2/images?${query}`)).body.images.length
  assert.deepEqual(
    [await list(''), await list('member_status=pending'), await list('member_status=all')],
    [0, 1, 1],
  )
  assert.equal((await world.call('bob', 'GET', `/v2/images/${id}`)).status, 200)
  assert.equal((await world.call('alice', 'PUT', `${url}/${beta}`, { status: 'accepted' })).status, 403)
  const accepted = await world.call('bob', 'PUT', `${url}/${beta}`, { status: 'accepted' })
  assert.deepEqual([accepted.status, accepted.body.status], [200, 'accepted'])
  assert.deepEqual([await list(''), await list('visibility=shared')], [1, 1])
  assert.equal((await world.call('bob', 'GET', `/v2/images/${id}/file`)).status, 200)
  assert.equal((await world.call('bob', 'PUT', `${url}/${beta}`, { status: 'perhaps' })).status, 400)
  assert.equal((await world.call('bob', 'POST', url, { member: 'x' })).status, 403)
  assert.equal((await world.call('bob', 'DELETE', `${url}/${beta}`)).status, 403)
  assert.equal((await world.call('alice', 'DELETE', `${url}/${beta}`)).status, 204)
  assert.equal((await world.call('bob', 'GET', `/v2/images/${id}`)).status, 404)
  assert.equal((await world.call('alice', 'DELETE', `${url}/${beta}`)).status, 404)
})

test('members are refused when they are wrong, there already, too many, or of an image that is not shared', async () => {
  await using world = await testImage({ imageMemberQuota: 1 })
  const id = await world.image('alice', {})
  const url = `/v2/images/${id}/members`
  for (const body of [{}, { member: '' }, { member: 5 }, []])
    assert.equal((await world.call('alice', 'POST', url, body)).status, 400, JSON.stringify(body))
  await world.call('alice', 'POST', url, { member: 'p' })
  assert.equal((await world.call('alice', 'POST', url, { member: 'q' })).status, 413)
  const { body } = await world.call('alice', 'GET', url)
  assert.deepEqual([body.members.length, body.schema], [1, '/v2/schemas/members'])
  assert.equal((await world.call('alice', 'GET', `${url}/q`)).status, 404)
  const closed = await world.image('alice', { visibility: 'private' })
  assert.equal(
    (await world.call('alice', 'POST', `/v2/images/${closed}/members`, { member: 'p' })).status,
    403,
  )
  const roomy = await testImage()
  await using _ = roomy
  const twice = await roomy.image('alice', {})
  await roomy.call('alice', 'POST', `/v2/images/${twice}/members`, { member: 'p' })
  assert.equal(
    (await roomy.call('alice', 'POST', `/v2/images/${twice}/members`, { member: 'p' })).status,
    409,
  )
})
