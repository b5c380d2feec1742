/** Steps whose end is not written by itself: with the next one's, or in a transaction of their own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase } from '../../testing/databases/test-database.ts'
import { inTransaction } from '../db/transaction.ts'
import { silentLogger } from '../log.ts'
import { type ErasedFlow, flow } from './flow.ts'
import { createFlowRunner } from './runner.ts'
import { addFlows, cancelFlows, type FlowTables, listFlows, openFlow } from './store.ts'

const makeDb = () => openTestDatabase<FlowTables>([addFlows])
type TestDb = Awaited<ReturnType<typeof makeDb>>

const runnerFor = <D>(db: TestDb, flow: ErasedFlow<D>, deps: D, owner = 'host:2') =>
  createFlowRunner({
    db,
    flows: [flow],
    deps,
    owner,
    log: silentLogger,
    isDead: (other) => other.startsWith('host:1'),
  })

interface Deps {
  log: string[]
  /** Never comes back from the step of this name, as in a process that was killed. */
  dies: string | undefined
  died(): void
}

function deps(dies?: string): Deps & { death: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { log: [], dies, died: resolve, death: promise }
}

async function work(name: string, again: boolean, { log, dies, died }: Deps): Promise<void> {
  log.push(again ? `${name} again` : name)
  if (dies !== name) return
  died()
  await new Promise(() => undefined)
}

const build = flow<object, Deps>('build')
  .step({
    name: 'choose',
    unsaved: true,
    run: async (_values, deps, { again }) => {
      await work('choose', again, deps)
      return { host: 'h1' }
    },
    undo: (_values, { log }) => log.push('undo choose'),
  })
  .step({
    name: 'record',
    run: ({ host }, deps, { again }) => work(`record on ${host}`, again, deps),
    undo: ({ host }, { log }) => log.push(`undo record on ${host}`),
  })
  .step({
    name: 'spawn',
    run: ({ host }, deps, { again }) => work(`spawn on ${host}`, again, deps),
    undo: (_values, { log }) => log.push('undo spawn'),
  })

async function killedIn(db: TestDb, step: string): Promise<void> {
  const dying = deps(step)
  await openFlow(db, { kind: 'build', subject: 's1', input: {} })
  runnerFor(db, build, dying, 'host:1').wake('s1')
  await dying.death
}

async function takenOver(db: TestDb): Promise<string[]> {
  const living = deps()
  await using next = runnerFor(db, build, living)
  await next.start()
  await next.runToEnd('s1')
  assert.deepEqual(await listFlows(db), [])
  return living.log
}

test('after a crash in the step that follows an unsaved one both run again', async () => {
  await using db = await makeDb()
  await killedIn(db, 'record on h1')
  assert.deepEqual(await takenOver(db), ['choose again', 'record on h1 again', 'spawn on h1'])
  await killedIn(db, 'spawn on h1')
  assert.deepEqual(await takenOver(db), ['spawn on h1 again'])
})

test('what a dead runner may have begun is undone when the flow is cancelled, without what it returned', async () => {
  await using db = await makeDb()
  for (const step of ['choose', 'record on h1']) {
    await killedIn(db, step)
    await cancelFlows(db, 's1', ['build'], 'no longer wanted')
    assert.deepEqual(await takenOver(db), ['undo record on undefined', 'undo choose'], step)
  }
})

test('a step that finishes in its own transaction is not run again, one whose transaction fails is', async () => {
  await using db = await makeDb()
  const finishing = (fails: boolean) =>
    flow<object, Deps>('finishing')
      .step({
        name: 'write',
        run: async (_values, deps, { again, finish }) => {
          const output = { written: 1 }
          await inTransaction(db, async (transaction) => {
            await finish(transaction, output)
            if (fails) await work('write', again, { ...deps, dies: undefined })
            if (fails) throw new Error('rolled back')
          }).catch(() => work('fail', again, { ...deps, dies: 'fail' }))
          await work('write', again, deps)
          return output
        },
      })
      .step({
        name: 'read',
        run: ({ written }, deps, { again }) => work(`read ${written}`, again, deps),
      })
  for (const fails of [false, true]) {
    const dying = deps('write')
    await openFlow(db, { kind: 'finishing', subject: 's1', input: {} })
    runnerFor(db, finishing(fails), dying, 'host:1').wake('s1')
    await dying.death
    const living = deps()
    await using next = runnerFor(db, finishing(false), living)
    await next.start()
    await next.runToEnd('s1')
    assert.deepEqual(living.log, fails ? ['write again', 'read 1'] : ['read 1 again'])
  }
})

test('a flow that is opened behind one that another runner holds is run by that one', async () => {
  await using db = await makeDb()
  const begun = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const log: string[] = []
  const slow = flow<{ name: string }, object>('slow').step({
    name: 'work',
    run: async ({ name }) => {
      begun.resolve()
      await goOn.promise
      log.push(name)
    },
  })
  await using holder = runnerFor(db, slow, {}, 'holder')
  const told = Promise.withResolvers<string>()
  await using other = createFlowRunner({
    db,
    flows: [slow],
    deps: {},
    owner: 'other',
    log: silentLogger,
    onHeld: told.resolve,
  })
  await openFlow(db, { kind: 'slow', subject: 's1', input: { name: 'first' } })
  holder.wake('s1')
  await begun.promise
  await openFlow(db, { kind: 'slow', subject: 's1', input: { name: 'second' } })
  other.wake('s1')
  holder.look(await told.promise)
  other.look('s1')
  goOn.resolve()
  await holder.runToEnd('s1')
  assert.deepEqual([log, await listFlows(db)], [['first', 'second'], []])
})
