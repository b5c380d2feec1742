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
