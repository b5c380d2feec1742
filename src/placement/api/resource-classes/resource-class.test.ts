import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

test('custom resource classes come and go; standard ones stay', async () => {
  await using world = await placementWorld()
  const post = async (name: string) =>
    (await world.call('POST', '/resource_classes', { body: { name } })).status
  assert.deepEqual([await post('CUSTOM_A'), await post('CUSTOM_A'), await post('VCPU')], [201, 409, 400])
  const put = async (name: string) => (await world.call('PUT', `/resource_classes/${name}`)).status
  assert.deepEqual([await put('CUSTOM_B'), await put('CUSTOM_B'), await put('VCPU')], [201, 204, 400])
  const shown = await world.call('GET', '/resource_classes/CUSTOM_A')
  assert.deepEqual(shown.body, {
    name: 'CUSTOM_A',
    links: [{ rel: 'self', href: '/resource_classes/CUSTOM_A' }],
  })
  const { resource_classes: all } = (await world.call('GET', '/resource_classes')).body
  const names = all.map((row: { name: string }) => row.name)
  assert.deepEqual([names[0], names.at(-1)], ['VCPU', 'CUSTOM_B'])
  const uuid = newUuid()
  await world.client.ensureProvider(uuid, 'cn')
  await world.client.setInventories(uuid, { CUSTOM_A: { total: 1 } })
  const remove = async (name: string) => (await world.call('DELETE', `/resource_classes/${name}`)).status
  assert.deepEqual(
    [await remove('CUSTOM_A'), await remove('VCPU'), await remove('CUSTOM_C')],
    [409, 400, 404],
  )
  assert.equal(await remove('CUSTOM_B'), 204)
})

test('a class could be renamed until 1.6', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  await world.client.ensureResourceClass('CUSTOM_A')
  await world.client.ensureResourceClass('CUSTOM_B')
  await world.client.ensureProvider(uuid, 'cn')
  await world.client.setInventories(uuid, { CUSTOM_A: { total: 1 } })
  const rename = (from: string, name: string) =>
    world.call('PUT', `/resource_classes/${from}`, { version: '1.6', body: { name } })
  assert.equal((await rename('CUSTOM_A', 'CUSTOM_B')).status, 409)
  assert.equal((await rename('VCPU', 'CUSTOM_C')).status, 400)
  assert.equal((await rename('CUSTOM_A', 'CUSTOM_C')).body.name, 'CUSTOM_C')
  assert.deepEqual(Object.keys((await world.client.getInventories(uuid)).inventories), ['CUSTOM_C'])
  assert.equal((await world.client.listProviders({ resources: 'CUSTOM_C:1' })).length, 1)
})
