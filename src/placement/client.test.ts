import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../base/errors.ts'
import { newUuid } from '../base/ids.ts'
import { placementWorld } from './world.ts'

test('a compute host reports itself, is found as a candidate, claimed and released', async () => {
  await using world = await placementWorld()
  const { client } = world
  const uuid = newUuid()
  const made = await client.ensureProvider(uuid, 'cn1')
  assert.deepEqual(made, { uuid, name: 'cn1', generation: 0, parentUuid: null, rootUuid: uuid })
  assert.deepEqual(await client.ensureProvider(uuid, 'cn1'), made)
  await client.setInventories(uuid, { VCPU: { total: 4, allocation_ratio: 2 }, MEMORY_MB: { total: 1024 } })
  await client.setInventories(uuid, { VCPU: { total: 4, allocation_ratio: 2 }, MEMORY_MB: { total: 1024 } })
  await client.setTraits(uuid, ['HW_CPU_X86_AVX', 'CUSTOM_GOLD'])
  const aggregate = newUuid()
  await client.setAggregates(uuid, [aggregate])
  assert.equal((await client.findProvider(uuid))?.generation, 3)
  assert.deepEqual((await client.getTraits(uuid)).sort(), ['CUSTOM_GOLD', 'HW_CPU_X86_AVX'])
  assert.deepEqual(await client.getAggregates(uuid), [aggregate])

  const query = {
    resources: 'VCPU:2,MEMORY_MB:512',
    required: 'CUSTOM_GOLD',
    member_of: aggregate,
    limit: 10,
  }
  const { allocationRequests, providerSummaries } = await client.listAllocationCandidates(query)
  assert.deepEqual(allocationRequests, [
    { allocations: { [uuid]: { resources: { VCPU: 2, MEMORY_MB: 512 } } }, mappings: { '': [uuid] } },
  ])
  assert.deepEqual(providerSummaries[uuid]?.resources['VCPU'], { capacity: 8, used: 0 })

  const request = allocationRequests[0]!
  const consumer = newUuid()
  assert.deepEqual(await client.claim(consumer, request, 'p', 'u'), { outcome: 'claimed' })
  assert.equal((await client.claim(consumer, request, 'p', 'u')).outcome, 'conflict')
  assert.deepEqual(await client.getAllocations(consumer), {
    allocations: { [uuid]: { generation: 4, resources: { VCPU: 2, MEMORY_MB: 512 } } },
    consumerGeneration: 1,
    projectId: 'p',
    userId: 'u',
    consumerType: 'INSTANCE',
  })
  assert.equal((await client.claim(newUuid(), request, 'p', 'u')).outcome, 'claimed')
  const full = await client.claim(newUuid(), request, 'p', 'u')
  assert.equal(full.outcome, 'no-capacity')
  assert.match((full as { reason: string }).reason, /MEMORY_MB.* would exceed the capacity/)
  assert.deepEqual(await client.getProjectUsages('p'), { VCPU: 4, MEMORY_MB: 1024 })
  assert.deepEqual(await client.getProviderUsages(uuid), { VCPU: 4, MEMORY_MB: 1024 })

  const migration = newUuid()
  const moved = await client.moveAllocations({
    [consumer]: { allocations: {}, projectId: 'p', userId: 'u', consumerGeneration: 1 },
    [migration]: {
      ...request,
      projectId: 'p',
      userId: 'u',
      consumerGeneration: null,
      consumerType: 'MIGRATION',
    },
  })
  assert.deepEqual(moved, { outcome: 'claimed' })
  assert.equal((await client.getAllocations(consumer)).consumerGeneration, null)
  assert.equal(await client.deleteAllocations(migration), true)
  assert.equal(await client.deleteAllocations(migration), false)
  await assert.rejects(client.deleteProvider(uuid), (error) => isFault(error, 'conflict'))
})

test('a provider is renamed and moved under another when its host says so', async () => {
  await using world = await placementWorld()
  const { client } = world
  const [root, child] = [newUuid(), newUuid()]
  await client.ensureProvider(root, 'root')
  await client.ensureProvider(child, 'child')
  const moved = await client.ensureProvider(child, 'renamed', root)
  assert.deepEqual([moved.name, moved.parentUuid, moved.rootUuid], ['renamed', root, root])
  const tree = await client.listProviders({ in_tree: root })
  assert.deepEqual(
    tree.map((provider) => provider.name),
    ['root', 'renamed'],
  )
  assert.equal(await client.deleteProvider(child), true)
  assert.equal(await client.deleteProvider(child), false)
  assert.deepEqual(
    (await client.listProviders()).map((provider) => provider.uuid),
    [root],
  )
})
