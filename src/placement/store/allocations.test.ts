import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testDatabase } from '#testing/databases/test-database.ts'
import { newUuid } from '../../base/ids.ts'
import { claimAtOnce, Rival } from '../rival.ts'
import { placementWorld } from '../world.ts'
import { migrations } from './migrations/list.ts'

const claims = fc.array(
  fc.record({
    provider: fc.nat({ max: 1 }),
    vcpus: fc.integer({ min: 1, max: 5 }),
    consumer: fc.nat({ max: 2 }),
    release: fc.boolean(),
  }),
  { minLength: 4, maxLength: 16 },
)

test('claims made at once on two connections never take more than there is', async () => {
  await using database = await testDatabase(migrations, { shared: true })
  const databaseUrl = database.url
  await using world = await placementWorld({ databaseUrl })
  await using rival = new Rival(databaseUrl)
  const { client } = world
  await fc.assert(
    fc.asyncProperty(claims, async (wanted) => {
      const providers = [newUuid(), newUuid()]
      for (const uuid of providers) {
        await client.ensureProvider(uuid, uuid)
        await client.setInventories(uuid, { VCPU: { total: 8, reserved: 1 } })
      }
      const consumers = Array.from({ length: 3 }, newUuid)
      const named = wanted.map((one) => ({
        ...one,
        provider: providers[one.provider]!,
        consumer: consumers[one.consumer]!,
      }))
      const [mine, theirs] = [
        named.filter((_, index) => index % 2 === 0),
        named.filter((_, index) => index % 2 === 1),
      ]
      await Promise.all([claimAtOnce(client, mine), rival.claim(theirs)])

      const held = await Promise.all(consumers.map((uuid) => client.getAllocations(uuid)))
      for (const uuid of providers) {
        const { VCPU: used } = await client.getProviderUsages(uuid)
        assert.ok(used! <= 7, `${used} used`)
        const sum = held.reduce(
          (total, { allocations }) => total + (allocations[uuid]?.resources['VCPU'] ?? 0),
          0,
        )
        assert.equal(used, sum)
        const free = await client.listAllocationCandidates({ resources: 'VCPU:1', in_tree: uuid })
        assert.equal(free.allocationRequests.length, used! < 7 ? 1 : 0)
        if (used! < 7) assert.equal(free.providerSummaries[uuid]?.resources['VCPU']?.used, used)
      }
    }),
    { numRuns: 15 },
  )
})

test('one process sees what another renamed, moved, deleted and named', async () => {
  await using database = await testDatabase(migrations, { shared: true })
  const databaseUrl = database.url
  await using one = await placementWorld({ databaseUrl })
  await using other = await placementWorld({ databaseUrl })
  const [root, child] = [newUuid(), newUuid()]
  const seen = async (): Promise<unknown> =>
    (await other.client.listProviders()).map(({ name, parentUuid }) => [name, parentUuid])
  await one.client.ensureProvider(root, 'root')
  await one.client.ensureProvider(child, 'child')
  assert.deepEqual(await seen(), [
    ['root', null],
    ['child', null],
  ])
  await one.client.ensureProvider(child, 'renamed', root)
  assert.deepEqual(await seen(), [
    ['root', null],
    ['renamed', root],
  ])
  await one.client.setTraits(child, ['CUSTOM_NEW'])
  assert.equal((await other.client.listProviders({ required: 'CUSTOM_NEW' })).length, 1)
  await one.client.ensureResourceClass('CUSTOM_THING')
  await one.client.setInventories(child, { CUSTOM_THING: { total: 1 } })
  assert.equal((await other.client.listProviders({ resources: 'CUSTOM_THING:1' })).length, 1)
  await one.client.setInventories(child, {})
  await one.client.deleteProvider(child)
  assert.deepEqual(await seen(), [['root', null]])
})
