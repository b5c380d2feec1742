import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

test('custom traits come and go; standard ones stay', async () => {
  await using world = await placementWorld()
  const put = async (name: string) => (await world.call('PUT', `/traits/${name}`)).status
  assert.deepEqual([await put('CUSTOM_A'), await put('CUSTOM_A')], [201, 204])
  assert.deepEqual(
    [await put('HW_X'), await put('CUSTOM_a'), await put(`CUSTOM_${'A'.repeat(249)}`)],
    [400, 400, 400],
  )
  assert.equal((await world.call('GET', '/traits/CUSTOM_A')).status, 204)
  assert.equal((await world.call('GET', '/traits/CUSTOM_B')).status, 404)
  assert.equal((await world.call('DELETE', '/traits/HW_NUMA_ROOT')).status, 400)
  assert.equal((await world.call('DELETE', '/traits/CUSTOM_B')).status, 404)
  assert.equal((await world.call('DELETE', '/traits/CUSTOM_A')).status, 204)
})

test('traits are listed by name, by beginning and by use', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  await world.client.ensureProvider(uuid, 'cn')
  await world.client.setTraits(uuid, ['CUSTOM_A', 'HW_NUMA_ROOT'])
  await world.call('PUT', '/traits/CUSTOM_AB')
  const list = async (query: string) => (await world.call('GET', `/traits?${query}`)).body.traits
  assert.ok((await list('')).length > 370)
  assert.deepEqual(await list('name=in:CUSTOM_A,CUSTOM_Z'), ['CUSTOM_A'])
  assert.deepEqual(await list('name=startswith:CUSTOM_A'), ['CUSTOM_A', 'CUSTOM_AB'])
  assert.deepEqual((await list('associated=true')).sort(), ['CUSTOM_A', 'HW_NUMA_ROOT'])
  assert.deepEqual(await list('name=startswith:CUSTOM_&associated=false'), ['CUSTOM_AB'])
  assert.equal((await world.call('GET', '/traits?name=CUSTOM_A')).status, 400)
  assert.equal((await world.call('GET', '/traits?associated=perhaps')).status, 400)
  assert.equal((await world.call('DELETE', '/traits/CUSTOM_A')).status, 409)
})

test('the traits of a provider are set with its generation', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  await world.client.ensureProvider(uuid, 'cn')
  const path = `/resource_providers/${uuid}/traits`
  const put = (traits: string[], generation: number) =>
    world.call('PUT', path, { body: { traits, resource_provider_generation: generation } })
  assert.deepEqual((await put(['HW_NUMA_ROOT'], 0)).body, {
    traits: ['HW_NUMA_ROOT'],
    resource_provider_generation: 1,
  })
  const stale = await put([], 0)
  assert.deepEqual([stale.status, stale.body.errors[0].code], [409, 'placement.concurrent_update'])
  assert.match((await put(['CUSTOM_NOT'], 1)).body.errors[0].detail, /No such trait CUSTOM_NOT/)
  assert.equal((await world.call('DELETE', path)).status, 204)
  assert.deepEqual((await world.call('GET', path)).body, { traits: [], resource_provider_generation: 2 })
  assert.equal((await put([], 2)).body.resource_provider_generation, 2)
})
