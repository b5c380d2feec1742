import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageId, makeCloud } from '../testing/cloud.ts'

test('servers asked for at once are never more than the quota', async () => {
  await using cloud = await makeCloud()
  const server = { name: 'vm', flavorRef: 'm1', imageRef: imageId, networks: 'none' }
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => cloud.call('POST /servers', { version: '2.37', body: { server } })),
  )
  const counts = Map.groupBy(replies, (reply) => reply.status)
  assert.deepEqual([counts.get(202)?.length, counts.get(403)?.length], [10, 10])
  const { body } = await cloud.call('GET /servers')
  assert.equal(body.servers.length, 10)
})

test('key pairs and server groups made at once are never more than the quota', async () => {
  await using cloud = await makeCloud()
  await cloud.call('PUT /os-quota-sets/p1', {
    as: 'admin',
    version: '2.36',
    body: { quota_set: { key_pairs: 3, server_groups: 3 } },
  })
  const post = async (path: string, body: (index: number) => object, version: string) => {
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, index) => cloud.call(`POST ${path}`, { version, body: body(index) })),
    )
    return replies.map((reply) => reply.status).toSorted()
  }
  const group = (index: number) => ({ server_group: { name: `g${index}`, policies: ['affinity'] } })
  assert.deepEqual(await post('/os-server-groups', group, '2.1'), [200, 200, 200, 403, 403, 403, 403, 403])
  const pair = (index: number) => ({ keypair: { name: `k${index}`, public_key: publicKey } })
  assert.deepEqual(await post('/os-keypairs', pair, '2.1'), [200, 200, 200, 403, 403, 403, 403, 403])
})

const publicKey =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHdcTnTLPGVvQLjFeeTkpHdbj7qSmqOSxEkVnHZYLqRV somebody@somewhere'

test('metadata and tags that are added at once are all there afterwards', async () => {
  await using cloud = await makeCloud()
  const id = await cloud.create()
  await cloud.settle(id)
  const keys = Array.from({ length: 8 }, (_, index) => `k${index}`)
  const version = '2.26'
  const replies = await Promise.all(
    keys.flatMap((key) => [
      cloud.call(`PUT /servers/${id}/metadata/${key}`, { version, body: { meta: { [key]: 'v' } } }),
      cloud.call(`PUT /servers/${id}/tags/${key}`, { version }),
    ]),
  )
  assert.deepEqual(replies.map(({ status }) => status).toSorted(), [
    ...keys.map(() => 200),
    ...keys.map(() => 201),
  ])
  const { metadata, tags } = (await cloud.call(`GET /servers/${id}`, { version })).body.server
  assert.deepEqual(Object.keys(metadata).toSorted(), keys)
  assert.deepEqual(tags, keys)
  await Promise.all(
    keys
      .slice(1)
      .flatMap((key) => [
        cloud.call(`DELETE /servers/${id}/metadata/${key}`, { version }),
        cloud.call(`DELETE /servers/${id}/tags/${key}`, { version }),
      ]),
  )
  const left = (await cloud.call(`GET /servers/${id}`, { version })).body.server
  assert.deepEqual([left.metadata, left.tags], [{ k0: 'v' }, ['k0']])
})

test('changes of a server that nobody has built yet are none lost', async () => {
  await using cloud = await makeCloud()
  const id = await cloud.create()
  const put = (server: object) => cloud.call(`PUT /servers/${id}`, { version: '2.19', body: { server } })
  await Promise.all([put({ name: 'new' }), put({ description: 'told' }), put({ accessIPv4: '192.0.2.1' })])
  const { name, description, accessIPv4 } = (await cloud.call(`GET /servers/${id}`, { version: '2.19' })).body
    .server
  assert.deepEqual([name, description, accessIPv4], ['new', 'told', '192.0.2.1'])
})
