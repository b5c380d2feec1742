import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

const asService = { headers: { 'x-auth-token': 'service' } }

async function withGuest() {
  const world = await placementWorld()
  const [host, numa, guest] = [newUuid(), newUuid(), newUuid()]
  await world.client.ensureProvider(host, 'host')
  await world.client.ensureProvider(numa, 'numa', host)
  await world.client.setInventories(host, { VCPU: { total: 8 }, MEMORY_MB: { total: 100 } })
  const resources = { VCPU: 4, MEMORY_MB: 50 }
  await world.client.claim(guest, { allocations: { [host]: { resources } } }, 'p', 'u')
  const owner = { project_id: 'p', user_id: 'u', consumer_type: 'INSTANCE' }
  return { world, host, numa, guest, owner }
}

test('inventory moves to a child together with what is allocated of it', async () => {
  const { world, host, numa, guest, owner } = await withGuest()
  await using _world = world
  const body = {
    inventories: {
      [host]: { resource_provider_generation: 2, inventories: { MEMORY_MB: { total: 100 } } },
      [numa]: { resource_provider_generation: 0, inventories: { VCPU: { total: 8 } } },
    },
    allocations: {
      [guest]: {
        allocations: { [host]: { resources: { MEMORY_MB: 50 } }, [numa]: { resources: { VCPU: 4 } } },
        consumer_generation: 1,
        ...owner,
      },
    },
  }
  assert.equal((await world.call('POST', '/reshaper', { body })).status, 403)
  const reply = await world.call('POST', '/reshaper', { body, ...asService })
  assert.deepEqual([reply.status, reply.body], [204, undefined])
  assert.deepEqual(await world.client.getProviderUsages(host), { MEMORY_MB: 50 })
  assert.deepEqual(await world.client.getProviderUsages(numa), { VCPU: 4 })
  const again = await world.call('POST', '/reshaper', { body, ...asService })
  assert.deepEqual([again.status, again.body.errors[0].code], [409, 'placement.concurrent_update'])
})

test('a reshape that does not work out leaves everything as it was', async () => {
  const { world, host, numa, guest, owner } = await withGuest()
  await using _world = world
  const before = await world.client.getInventories(host)
  const attempt = async (inventories: object, allocations: object) => {
    const body = { inventories, allocations }
    const { status, body: answer } = await world.call('POST', '/reshaper', { body, ...asService })
    return [status, answer?.errors[0].code]
  }
  const plain = 'placement.undefined_code'
  const gone = { [host]: { resource_provider_generation: 2, inventories: { MEMORY_MB: { total: 100 } } } }
  assert.deepEqual(await attempt(gone, {}), [409, 'placement.inventory.inuse'])
  const tooSmall = { [numa]: { resource_provider_generation: 0, inventories: { VCPU: { total: 2 } } } }
  const move = (generation: number) => ({
    [guest]: {
      allocations: { [numa]: { resources: { VCPU: 4 } } },
      consumer_generation: generation,
      ...owner,
    },
  })
  assert.deepEqual(await attempt({ ...gone, ...tooSmall }, move(1)), [409, plain])
  assert.deepEqual(await attempt({ ...gone, ...tooSmall }, move(7)), [409, 'placement.concurrent_update'])
  const nowhere = { [newUuid()]: { resource_provider_generation: 0, inventories: {} } }
  assert.deepEqual(await attempt(nowhere, {}), [400, 'placement.resource_provider.not_found'])
  const unknown = { [host]: { resource_provider_generation: 2, inventories: { CUSTOM_NOT: { total: 1 } } } }
  assert.deepEqual(await attempt(unknown, {}), [400, plain])
  assert.deepEqual(await attempt({}, {}), [400, plain])
  assert.deepEqual(await world.client.getInventories(host), before)
  assert.deepEqual(await world.client.getProviderUsages(host), { VCPU: 4, MEMORY_MB: 50 })
})
