import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeWorld } from '../testing/world.ts'

const networks = ['fixed_ips', 'floating_ips', 'security_group_rules', 'security_groups']
const files = ['injected_file_content_bytes', 'injected_file_path_bytes', 'injected_files']

test('quotas are shown as each microversion knew them', async () => {
  await using world = await makeWorld()
  const at = async (version?: string) =>
    (await world.call('GET /os-quota-sets/p1', { version })).body.quota_set
  const first = await at()
  assert.equal(first.id, 'p1')
  assert.deepEqual([first.instances, first.cores, first.ram, first.fixed_ips], [10, 20, 51_200, -1])
  const names = async (version: string) => Object.keys(await at(version))
  const lost = async (version: string) => {
    const there = await names(version)
    return Object.keys(first).filter((name) => !there.includes(name))
  }
  assert.deepEqual(await lost('2.35'), [])
  assert.deepEqual(await lost('2.36'), networks)
  assert.deepEqual((await lost('2.57')).sort(), [...networks, ...files].sort())
  const classes = async (version?: string) =>
    (await world.call('GET /os-quota-class-sets/default', { as: 'admin', version })).body.quota_class_set
  assert.deepEqual(
    [
      'server_groups' in (await classes()),
      'fixed_ips' in (await classes()),
      'server_groups' in (await classes('2.50')),
    ],
    [false, true, true],
  )
  const put = async (limit: object, version?: string) => {
    const body = { quota_class_set: limit }
    return (await world.call('PUT /os-quota-class-sets/other', { as: 'admin', version, body })).status
  }
  assert.deepEqual([await put({ server_groups: 9 }), await put({ fixed_ips: 9 }, '2.50')], [200, 400])
})

test('limits are set, kept within reason, and reset', async () => {
  await using world = await makeWorld()
  const put = async (quota_set: object, version?: string, query = '') =>
    await world.call(`PUT /os-quota-sets/p1${query}`, { as: 'admin', version, body: { quota_set } })
  assert.equal((await put({ instances: 5, cores: '7' })).body.quota_set.cores, 7)
  assert.equal((await put({ instances: -2 })).status, 400)
  assert.equal((await put({ networks: 3 })).status, 400)
  assert.equal((await put({ fixed_ips: 3 }, '2.36')).status, 400)
  assert.equal((await put({ instances: 6 }, undefined, '?user_id=u1')).status, 400)
  assert.equal((await put({ instances: 4 }, undefined, '?user_id=u1')).body.quota_set.instances, 4)
  await world.call('POST /os-server-groups', {
    body: { server_group: { name: 'g', policies: ['affinity'] } },
  })
  const low = await put({ server_groups: 0 })
  assert.match(low.body.badRequest.message, /must be greater than or equal to already used and reserved 1/)
  assert.equal((await put({ server_groups: 0, force: true })).status, 200)
  const detail = (await world.call('GET /os-quota-sets/p1/detail')).body.quota_set
  assert.deepEqual(detail.server_groups, { limit: 0, in_use: 1, reserved: 0 })
  assert.equal((await world.call('GET /os-quota-sets/p1/defaults')).body.quota_set.instances, 10)
  assert.equal((await world.call('DELETE /os-quota-sets/p1', { as: 'admin' })).status, 202)
  assert.equal((await world.call('GET /os-quota-sets/p1?user_id=u1')).body.quota_set.instances, 10)
})

test('another project’s quotas are an administrator’s matter', async () => {
  await using world = await makeWorld()
  assert.equal((await world.call('GET /os-quota-sets/p2')).status, 403)
  assert.equal((await world.call('GET /os-quota-sets/p2', { as: 'admin' })).status, 200)
  assert.equal((await world.call('GET /os-quota-sets/unknown', { as: 'admin' })).status, 400)
  assert.equal((await world.call('PUT /os-quota-sets/p1', { body: { quota_set: {} } })).status, 403)
  assert.equal((await world.call('GET /limits?tenant_id=p2')).status, 403)
})

test('the default class changes everybody’s limits', async () => {
  await using world = await makeWorld()
  const body = { quota_class_set: { ram: 7 } }
  await world.call('PUT /os-quota-class-sets/default', { as: 'admin', body })
  assert.equal((await world.call('GET /os-quota-sets/p1')).body.quota_set.ram, 7)
  const at = async (version?: string) => (await world.call('GET /limits', { version })).body.limits.absolute
  assert.equal((await at()).maxTotalRAMSize, 7)
  const has = async (name: string, version: string) => name in (await at(version))
  assert.deepEqual(
    [
      await has('maxSecurityGroups', '2.35'),
      await has('maxSecurityGroups', '2.36'),
      await has('maxImageMeta', '2.38'),
      await has('maxImageMeta', '2.39'),
      await has('maxPersonality', '2.56'),
      await has('maxPersonality', '2.57'),
    ],
    [true, false, true, false, true, false],
  )
})
