import assert from 'node:assert/strict'
import { test } from 'node:test'
import { made, testNetwork } from '../../test-network.ts'

test('a limit holds against parallel requests, and the answer says what ran out', async () => {
  await using cloud = await testNetwork()
  const set = await cloud.admin('PUT', '/quotas/blue', { quota: { port: 5, network: 2 } })
  assert.deepEqual([set.body.quota.port, set.body.quota.subnet], [5, 100])
  const network = await made(cloud.member, '/networks', 'network', {})
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => cloud.member('POST', '/ports', { port: { network_id: network.id } })),
  )
  assert.equal(answers.filter((answer) => answer.status === 201).length, 5)
  const refused = answers.find((answer) => answer.status !== 201)!
  assert.deepEqual(
    [refused.status, refused.body.NeutronError],
    [409, { type: 'OverQuota', message: "Quota exceeded for resources: ['port'].", detail: '' }],
  )
  const bulk = await cloud.member('POST', '/networks', { networks: [{}, {}] })
  assert.equal(bulk.status, 409)
  const details = await cloud.member('GET', '/quotas/blue/details')
  assert.deepEqual(details.body.quota.port, { limit: 5, used: 5, reserved: 0 })
  assert.deepEqual(details.body.quota.network, { limit: 2, used: 1, reserved: 0 })
  assert.deepEqual((await cloud.member('GET', '/quotas/blue/details.json')).body, details.body)
  assert.equal((await cloud.member('GET', '/quotas/red/details')).status, 403)
  const client = cloud.client('member:blue')
  const { port } = await client.showQuota('blue')
  assert.equal(port?.used, 5)
  assert.deepEqual(await client.showQuota('blue', ['port']), { port })
})

test('limits are listed, shown, defaulted and put back', async () => {
  await using cloud = await testNetwork({ options: { quotas: { network: 7 }, defaultQuota: 3 } })
  const standard = (await cloud.member('GET', '/quotas/blue/default')).body.quota
  assert.deepEqual([standard.network, standard.port], [7, 3])
  assert.deepEqual((await cloud.admin('GET', '/quotas')).body, { quotas: [] })
  await cloud.admin('PUT', '/quotas/blue', { quota: { network: -1 } })
  const [listed] = (await cloud.admin('GET', '/quotas')).body.quotas
  assert.deepEqual([listed.project_id, listed.network], ['blue', -1])
  assert.equal((await cloud.admin('DELETE', '/quotas/blue')).status, 204)
  assert.equal((await cloud.member('GET', '/quotas/blue')).body.quota.network, 7)
  assert.deepEqual((await cloud.member('GET', '/quotas/project')).body, { project: { project_id: 'blue' } })
  const put = async (quota: object) => (await cloud.admin('PUT', '/quotas/blue', { quota })).status
  assert.deepEqual(
    [await put({ port: 'x' }), await put({ port: -2 }), await put({ cats: 5 }), await put({ port: '9' })],
    [400, 400, 400, 200],
  )
  await made(cloud.member, '/networks', 'network', {})
  assert.deepEqual([await put({ network: 0, check_limit: true }), await put({ network: 0 })], [400, 200])
  assert.equal((await cloud.admin('POST', '/quotas', {})).status, 501)
})
