import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestNetwork, testNetwork } from '../test-network.ts'
import type { Work } from '../work.ts'
import { workTogether } from './work-together.ts'

const depsOf = (cloud: TestNetwork) => ({
  db: cloud.db,
  options: cloud.options,
  clock: { now: () => Date.now() },
  wakeAgents: () => undefined,
  outbox: undefined,
})

const inTurn = (cloud: TestNetwork) =>
  workTogether(depsOf(cloud), async (work, changes: readonly ((work: Work) => Promise<void>)[]) => {
    for (const change of changes) await change(work)
  })

test('changes that come while one is made are made together, in their order', async () => {
  await using cloud = await testNetwork()
  const together = inTurn(cloud)
  const seen: [string, Work][] = []
  const change = (name: string) => together(async (work) => void seen.push([name, work]))
  await Promise.all(['a', 'b', 'c'].map(change))
  assert.deepEqual(
    seen.map(([name]) => name),
    ['a', 'b', 'c'],
  )
  assert.notEqual(seen[0]![1], seen[1]![1])
  assert.equal(seen[1]![1], seen[2]![1])
  await change('d')
  assert.equal(seen.length, 4)
})

test('a change that fails fails alone, and nothing of it stays', async () => {
  await using cloud = await testNetwork()
  const together = inTurn(cloud)
  const note = (id: string, fail = false) =>
    together(async (work) => {
      await work.db.insertInto('quotas').values({ project_id: id, resource: 'port', limit: 1 }).execute()
      if (fail) throw new Error('no')
    })
  const results = await Promise.allSettled([note('a'), note('b'), note('c', true), note('d')])
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  )
  const rows = await cloud.db.selectFrom('quotas').select('project_id').orderBy('project_id').execute()
  assert.deepEqual(
    rows.map((row) => row.project_id),
    ['a', 'b', 'd'],
  )
})
