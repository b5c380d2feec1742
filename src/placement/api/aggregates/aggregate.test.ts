import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

test('aggregates are a plain list until 1.18 and come with the generation since 1.19', async () => {
  await using world = await placementWorld()
  const uuid = newUuid()
  await world.client.ensureProvider(uuid, 'cn')
  const path = `/resource_providers/${uuid}/aggregates`
  const [one, two] = [newUuid(), newUuid()]
  const old = await world.call('PUT', path, { version: '1.18', body: [one] })
  assert.deepEqual([old.status, old.body], [200, { aggregates: [one] }])
  const body = { aggregates: [one, two], resource_provider_generation: 0 }
  assert.equal((await world.call('PUT', path, { version: '1.18', body })).status, 400)
  const now = await world.call('PUT', path, { version: '1.19', body })
  assert.deepEqual(now.body, { aggregates: [one, two], resource_provider_generation: 1 })
  const stale = await world.call('PUT', path, { body })
  assert.deepEqual([stale.status, stale.body.errors[0].code], [409, 'placement.concurrent_update'])
  assert.deepEqual((await world.call('GET', path)).body, {
    aggregates: [one, two],
    resource_provider_generation: 1,
  })
  const twice = { aggregates: [one, one], resource_provider_generation: 1 }
  assert.equal((await world.call('PUT', path, { body: twice })).status, 400)
  // Without a generation the change is seen by filters all the same.
  await world.call('PUT', path, { version: '1.18', body: [] })
  assert.equal((await world.client.listProviders({ member_of: one })).length, 0)
})
