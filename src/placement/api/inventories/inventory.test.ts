import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

async function withProvider() {
  const world = await placementWorld()
  const uuid = newUuid()
  await world.client.ensureProvider(uuid, 'cn')
  return { world, uuid, path: `/resource_providers/${uuid}/inventories` }
}

test('an inventory is made, shown, changed and removed, each time with a new generation', async () => {
  const { world, uuid, path } = await withProvider()
  await using _world = world
  const made = await world.call('POST', path, { body: { resource_class: 'VCPU', total: 8 } })
  assert.equal(made.status, 201)
  assert.match(made.headers['location']!, new RegExp(`/resource_providers/${uuid}/inventories/VCPU$`))
  const whole = {
    total: 8,
    reserved: 0,
    min_unit: 1,
    max_unit: 2147483647,
    step_size: 1,
    allocation_ratio: 1,
  }
  assert.deepEqual(made.body, { ...whole, resource_provider_generation: 1 })
  const again = await world.call('POST', path, { body: { resource_class: 'VCPU', total: 8 } })
  assert.deepEqual([again.status, again.body.errors[0].code], [409, 'placement.concurrent_update'])
  const stale = { total: 9, resource_provider_generation: 0 }
  assert.equal((await world.call('PUT', `${path}/VCPU`, { body: stale })).status, 409)
  const fresh = { total: 9, allocation_ratio: 16, resource_provider_generation: 1 }
  const changed = await world.call('PUT', `${path}/VCPU`, { body: fresh })
  assert.deepEqual(changed.body, {
    ...whole,
    total: 9,
    allocation_ratio: 16,
    resource_provider_generation: 2,
  })
  assert.deepEqual((await world.call('GET', path)).body, {
    inventories: { VCPU: { ...whole, total: 9, allocation_ratio: 16 } },
    resource_provider_generation: 2,
  })
  const absent = await world.call('PUT', `${path}/DISK_GB`, {
    body: { ...fresh, resource_provider_generation: 2 },
  })
  assert.equal(absent.status, 400)
  assert.equal((await world.call('DELETE', `${path}/VCPU`)).status, 204)
  assert.equal((await world.call('DELETE', `${path}/VCPU`)).status, 404)
  assert.equal((await world.call('GET', `${path}/VCPU`)).status, 404)
})

test('something must be left of an inventory; since 1.26 all may be reserved', async () => {
  const { world, path } = await withProvider()
  await using _world = world
  const post = async (version: string, reserved: number) =>
    (await world.call('POST', path, { version, body: { resource_class: 'VCPU', total: 8, reserved } })).status
  assert.deepEqual([await post('1.25', 8), await post('1.26', 9), await post('1.26', 8)], [400, 400, 201])
  for (const body of [{ total: 0 }, { total: '8' }, { total: 2147483648 }, { total: 8, min_unit: 0 }, {}]) {
    const reply = await world.call('POST', path, { body: { resource_class: 'DISK_GB', ...body } })
    assert.equal(reply.status, 400)
    assert.match(reply.body.errors[0].detail, /JSON does not validate: .* in schema/s)
  }
  const unknown = await world.call('POST', path, { body: { resource_class: 'CUSTOM_NOT', total: 1 } })
  assert.match(unknown.body.errors[0].detail, /No such resource class CUSTOM_NOT/)
})

test('an inventory in use stays, whichever way it is removed', async () => {
  const { world, uuid, path } = await withProvider()
  await using _world = world
  await world.client.setInventories(uuid, { VCPU: { total: 8 }, DISK_GB: { total: 10 } })
  await world.client.claim(newUuid(), { allocations: { [uuid]: { resources: { VCPU: 8 } } } }, 'p', 'u')
  const one = await world.call('DELETE', `${path}/VCPU`)
  assert.deepEqual([one.status, one.body.errors[0].code], [409, 'placement.concurrent_update'])
  const all = await world.call('DELETE', path)
  assert.deepEqual([all.status, all.body.errors[0].code], [409, 'placement.inventory.inuse'])
  assert.equal((await world.call('DELETE', path, { version: '1.4' })).status, 405)
  const put = await world.call('PUT', path, { body: { resource_provider_generation: 2, inventories: {} } })
  assert.deepEqual([put.status, put.body.errors[0].code], [409, 'placement.inventory.inuse'])
  assert.match(put.body.errors[0].detail, /Inventory for 'VCPU' on resource provider '.*' in use/)
  // It may become less than what is used.
  await world.client.setInventories(uuid, { VCPU: { total: 4 } })
  assert.equal((await world.client.getProviderUsages(uuid))['VCPU'], 8)
})

test('a whole allocation ratio is shown as a decimal number', async () => {
  const { world, uuid, path } = await withProvider()
  await using _world = world
  await world.client.setInventories(uuid, { VCPU: { total: 8, allocation_ratio: 16 } })
  const headers = { 'x-auth-token': 'admin' }
  assert.match((await world.app.inject({ url: path, headers })).payload, /"allocation_ratio":16\.0[,}]/)
})
