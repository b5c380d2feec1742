/** Changes of one image at the same time; on a database server each has a connection of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patch, testImage } from '../../testing.ts'

const keys = Array.from({ length: 8 }, (_, index) => `k${index}`)

test('tags and properties that are added at once are all there afterwards', async () => {
  await using world = await testImage()
  const id = await world.image('alice', { name: 'small' })
  const replies = await Promise.all(
    keys.flatMap((key) => [
      world.call('alice', 'PUT', `/v2/images/${id}/tags/${key}`),
      world.call('alice', 'PATCH', `/v2/images/${id}`, [{ op: 'add', path: `/${key}`, value: 'v' }], patch),
    ]),
  )
  for (const { status, body } of replies) assert.ok(status < 300, JSON.stringify(body))
  const { body } = await world.call('alice', 'GET', `/v2/images/${id}`)
  assert.deepEqual(body.tags, keys)
  assert.deepEqual(
    keys.map((key) => body[key]),
    keys.map(() => 'v'),
  )
})

test('an image that is described while its data are uploaded becomes active', async () => {
  await using world = await testImage()
  for (let turn = 0; turn < 10; turn++) {
    const id = await world.image('alice', { name: 'small', disk_format: 'raw', container_format: 'bare' })
    const describing = keys.map((key) => world.call('alice', 'PUT', `/v2/images/${id}/tags/${key}`))
    const headers = { 'content-type': 'application/octet-stream' }
    const upload = await world.call('alice', 'PUT', `/v2/images/${id}/file`, Buffer.from('data'), headers)
    assert.equal(upload.status, 204)
    await Promise.all(describing)
    const { body } = await world.call('alice', 'GET', `/v2/images/${id}`)
    assert.deepEqual([body.status, body.size, body.tags], ['active', 4, keys])
    assert.match(body.checksum, /^[0-9a-f]{32}$/)
  }
})
