import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUuid } from '../../../base/ids.ts'
import { placementWorld } from '../../world.ts'

// A host with two NUMA nodes below it, and shared storage beside it.
async function cloud() {
  const world = await placementWorld()
  const { client } = world
  const ids = { host: newUuid(), numa0: newUuid(), numa1: newUuid(), storage: newUuid(), racks: newUuid() }
  await client.ensureProvider(ids.host, 'host')
  await client.ensureProvider(ids.numa0, 'numa0', ids.host)
  await client.ensureProvider(ids.numa1, 'numa1', ids.host)
  await client.ensureProvider(ids.storage, 'storage')
  await client.setInventories(ids.host, { MEMORY_MB: { total: 4096, allocation_ratio: 1.5 } })
  await client.setInventories(ids.numa0, { VCPU: { total: 4 } })
  await client.setInventories(ids.numa1, { VCPU: { total: 4 } })
  await client.setInventories(ids.storage, { DISK_GB: { total: 1000, reserved: 100 } })
  await client.setTraits(ids.storage, ['MISC_SHARES_VIA_AGGREGATE', 'STORAGE_DISK_SSD'])
  await client.setTraits(ids.numa1, ['HW_NUMA_ROOT'])
  for (const uuid of [ids.host, ids.storage]) await client.setAggregates(uuid, [ids.racks])
  const ask = async (query: string, version = '1.39') => {
    const { status, body } = await world.call('GET', `/allocation_candidates?${query}`, { version })
    return { status, body, count: body.allocation_requests?.length }
  }
  return { world, ids, ask }
}

test('resources come from the whole tree and from what is shared with it', async () => {
  const { world, ids, ask } = await cloud()
  await using _world = world
  const { body, count } = await ask('resources=VCPU:2,MEMORY_MB:5000,DISK_GB:50')
  assert.equal(count, 2)
  assert.deepEqual(body.allocation_requests[0], {
    allocations: {
      [ids.numa0]: { resources: { VCPU: 2 } },
      [ids.host]: { resources: { MEMORY_MB: 5000 } },
      [ids.storage]: { resources: { DISK_GB: 50 } },
    },
    mappings: { '': [ids.numa0, ids.host, ids.storage] },
  })
  assert.deepEqual(
    Object.keys(body.provider_summaries).sort(),
    [ids.host, ids.numa0, ids.numa1, ids.storage].sort(),
  )
  assert.deepEqual(body.provider_summaries[ids.storage], {
    resources: { DISK_GB: { capacity: 900, used: 0 } },
    traits: ['MISC_SHARES_VIA_AGGREGATE', 'STORAGE_DISK_SSD'].sort(),
    parent_provider_uuid: null,
    root_provider_uuid: ids.storage,
  })
  assert.equal(body.provider_summaries[ids.numa0].parent_provider_uuid, ids.host)
  assert.equal((await ask('resources=VCPU:2,MEMORY_MB:5000,DISK_GB:50&limit=1')).count, 1)
  assert.equal((await ask('resources=VCPU:2,DISK_GB:50&required=STORAGE_DISK_SSD,!HW_NUMA_ROOT')).count, 1)
  assert.equal((await ask('resources=VCPU:5')).count, 0)
})

test('answers have the form of their microversion', async () => {
  const { world, ids, ask } = await cloud()
  await using _world = world
  const old = await ask('resources=DISK_GB:50', '1.11')
  assert.deepEqual(old.body.allocation_requests, [
    { allocations: [{ resource_provider: { uuid: ids.storage }, resources: { DISK_GB: 50 } }] },
  ])
  assert.deepEqual(old.body.provider_summaries, {
    [ids.storage]: { resources: { DISK_GB: { capacity: 900, used: 0 } } },
  })
  const dict = await ask('resources=DISK_GB:50', '1.12')
  assert.deepEqual(dict.body.allocation_requests, [
    { allocations: { [ids.storage]: { resources: { DISK_GB: 50 } } } },
  ])
  assert.equal(
    'traits' in (await ask('resources=DISK_GB:5', '1.17')).body.provider_summaries[ids.storage],
    true,
  )
  // Trees are not seen before 1.29: nothing may be taken from two providers of one.
  assert.equal((await ask('resources=VCPU:1,MEMORY_MB:1', '1.28')).count, 0)
  assert.equal((await ask('resources=VCPU:1,MEMORY_MB:1', '1.29')).count, 2)
})

test('each parameter came with its microversion', async () => {
  const { world, ids, ask } = await cloud()
  await using _world = world
  const cases: [string, string][] = [
    ['resources=VCPU:1&limit=1', '1.16'],
    ['resources=VCPU:1&required=HW_NUMA_ROOT', '1.17'],
    [`resources=VCPU:1&member_of=${ids.racks}`, '1.21'],
    ['resources=VCPU:1&required=!HW_NUMA_ROOT', '1.22'],
    [`resources=VCPU:1&member_of=${ids.racks}&member_of=${ids.racks}`, '1.24'],
    ['resources1=VCPU:1', '1.25'],
    [`resources=VCPU:1&in_tree=${ids.host}`, '1.31'],
    [`resources=VCPU:1&member_of=!${ids.racks}`, '1.32'],
    ['resources_NET=VCPU:1', '1.33'],
    ['resources=VCPU:1&root_required=!HW_NUMA_ROOT', '1.35'],
    ['resources1=VCPU:1&required2=HW_NUMA_ROOT&same_subtree=1,2&group_policy=none', '1.36'],
    ['resources=VCPU:1&required=in:HW_NUMA_ROOT,STORAGE_DISK_SSD', '1.39'],
  ]
  for (const [query, since] of cases) {
    const before = `1.${Number(since.split('.')[1]) - 1}`
    assert.deepEqual([(await ask(query, before)).status, (await ask(query, since)).status], [400, 200], query)
  }
})

test('suffixed groups are each served by one provider, apart or in one subtree when asked', async () => {
  const { world, ids, ask } = await cloud()
  await using _world = world
  const two = 'resources_a=VCPU:2&resources_b=VCPU:2'
  assert.equal((await ask(two)).status, 400)
  assert.equal((await ask(`${two}&group_policy=none`)).count, 4)
  const apart = await ask(`${two}&group_policy=isolate`)
  assert.deepEqual(
    apart.body.allocation_requests.map((one: { mappings: unknown }) => one.mappings),
    [
      { _a: [ids.numa0], _b: [ids.numa1] },
      { _a: [ids.numa1], _b: [ids.numa0] },
    ],
  )
  const both = await ask('resources_a=VCPU:2,MEMORY_MB:1')
  assert.equal(both.count, 0)
  assert.equal((await ask(`${two}&group_policy=none&same_subtree=_a,_b`)).count, 2)
  const rooted = await ask('resources_a=VCPU:2&required_n=HW_NUMA_ROOT&same_subtree=_a,_n&group_policy=none')
  assert.deepEqual(rooted.body.allocation_requests, [
    {
      allocations: { [ids.numa1]: { resources: { VCPU: 2 } } },
      mappings: { _a: [ids.numa1], _n: [ids.numa1] },
    },
  ])
  assert.equal((await ask(`${two.replaceAll('2', '3')}&group_policy=none`)).count, 2)
})

test('a query that cannot be meant is refused with its code', async () => {
  const { world, ids, ask } = await cloud()
  await using _world = world
  const code = async (query: string) => {
    const { status, body } = await ask(query)
    assert.equal(status, 400, query)
    return body.errors[0].code
  }
  const plain = 'placement.undefined_code'
  assert.equal(await code('resources=CUSTOM_NOT:1'), plain)
  assert.equal(await code('resources=VCPU:1&required=CUSTOM_NOT'), plain)
  assert.equal(await code('resources=VCPU:1&required=HW_NUMA_ROOT,!HW_NUMA_ROOT'), plain)
  assert.equal(await code('resources=VCPU:1&member_of=nonsense'), plain)
  assert.equal(await code('resources=VCPU:1&in_tree=nonsense'), plain)
  assert.equal(await code('resources=VCPU:1&limit=0'), plain)
  assert.equal(await code('limit=1'), 'placement.query.missing_value')
  assert.equal(await code('resources=VCPU:1&required_x=HW_NUMA_ROOT'), 'placement.query.bad_value')
  assert.equal(await code('resources=VCPU:1&same_subtree=_x'), 'placement.query.bad_value')
  const twice = 'resources=VCPU:1&root_required=HW_NUMA_ROOT&root_required=HW_NUMA_ROOT'
  assert.equal(await code(twice), 'placement.query.duplicate_key')
  assert.equal((await ask(`resources=VCPU:1&in_tree=${newUuid()}`)).count, 0)
  assert.equal((await ask(`resources=DISK_GB:1&in_tree=${ids.host}`)).count, 0)
})
