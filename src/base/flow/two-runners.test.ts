import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../testing/databases/test-database.ts'
import { openDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { silentLogger } from '../log.ts'
import { flow } from './flow.ts'
import { createFlowRunner } from './runner.ts'
import { addFlows, type FlowTables, listFlows, openFlow } from './store.ts'

const migrations = [addFlows]
const subjects = Array.from({ length: 30 }, (_, index) => `s${index}`)

test('two runners on one database take over what a killed one held, each flow once', async () => {
  await using shared = await testDatabase(migrations, { shared: true })
  await using one = openDatabase<FlowTables>(shared.url)
  await using other = openDatabase<FlowTables>(shared.url)
  await migrate(one, migrations)
  const runs: string[] = []
  const count = flow<{ name: string }, object>('count')
    .step({ name: 'first', run: ({ name }) => void runs.push(`${name} first`) })
    .step({ name: 'second', run: ({ name }) => void runs.push(`${name} second`) })
  for (const name of subjects) await openFlow(one, { kind: 'count', subject: name, input: { name } })
  // What a process leaves that was killed: an owner, and a lease that runs out.
  const passed = '2001-01-01T00:00:00.000Z'
  await one.updateTable('flows').set({ owner: 'killed:1', lease_expires_at: passed }).execute()

  const runner = (db: typeof one, owner: string) =>
    createFlowRunner({ db, flows: [count], deps: {}, owner, log: silentLogger })
  await using first = runner(one, 'first')
  await using second = runner(other, 'second')
  await Promise.all([first.start(), second.start()])
  while ((await listFlows(one)).length > 0)
    await Promise.all(subjects.flatMap((name) => [first.runToEnd(name), second.runToEnd(name)]))
  assert.deepEqual(
    runs.toSorted(),
    subjects.flatMap((name) => [`${name} first`, `${name} second`]).toSorted(),
  )
})
