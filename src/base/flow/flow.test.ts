import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertRunsTwice,
  assertSurvivesCrashes,
  assertUnwinds,
  type FlowWorld,
} from '../../testing/assert-unwinds.ts'
import { openTestDatabase } from '../../testing/databases/test-database.ts'
import { Fault } from '../errors.ts'
import { silentLogger } from '../log.ts'
import { type ErasedFlow, flow, RetryFrom } from './flow.ts'
import { createFlowRunner } from './runner.ts'
import { addFlows, cancelFlows, type FlowTables, listFlows, openFlow } from './store.ts'

/** What the flow under test works on: things that are there or not. */
interface Deps {
  there: Set<string>
  failures: string[]
}

const input = { id: 's1' }

const build = flow<{ id: string; excluded?: string[] }, Deps>('build')
  .step({
    name: 'choose',
    run: ({ id }, { there }) => {
      there.add(`claim:${id}`)
      return { host: 'h1' }
    },
    undo: ({ id }, { there }) => there.delete(`claim:${id}`),
  })
  .step({
    name: 'connect',
    run: async ({ id, host }, { there }) => {
      there.add(`port:${id}:${host}`)
      return { port: `port:${id}:${host}` }
    },
    undo: ({ id, host }, { there }) => there.delete(`port:${id}:${host}`),
  })
  .step({
    name: 'spawn',
    run: ({ port }, { there }) => {
      there.add(`guest:${port}`)
    },
    undo: ({ id, host }, { there }) => there.delete(`guest:port:${id}:${host}`),
  })
  .onFailure((_values, { failures }, error) => failures.push(`${error.kind}: ${error.message}`))

const migrations = [addFlows]
const makeDb = () => openTestDatabase<FlowTables>(migrations)

async function makeWorld(): Promise<FlowWorld<FlowTables, Deps>> {
  const db = await makeDb()
  const deps: Deps = { there: new Set(), failures: [] }
  return {
    db,
    deps,
    subject: 's1',
    input,
    assertUnwound: () => {
      assert.deepEqual([...deps.there], [])
      assert.match(deps.failures.join(), /^unavailable: made to fail/)
    },
    assertDone: () => assert.deepEqual([...deps.there], ['claim:s1', 'port:s1:h1', 'guest:port:s1:h1']),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}

function runnerFor<D>(db: Awaited<ReturnType<typeof makeDb>>, flows: ErasedFlow<D>[], deps: D) {
  return createFlowRunner({ db, flows, deps, owner: 'test', log: silentLogger })
}

test('a failure after any step leaves nothing behind', () => assertUnwinds(build, makeWorld))

test('every step may run twice', () => assertRunsTwice(build, makeWorld))

test('a crash after any step is made good by the next runner', () => assertSurvivesCrashes(build, makeWorld))

test('flows of one subject run in the order they were opened, those of others meanwhile', async () => {
  await using db = await makeDb()
  const log: string[] = []
  const other = Promise.withResolvers<void>()
  const slow = flow<{ name: string }, object>('slow').step({
    name: 'work',
    run: async ({ name }) => {
      log.push(`${name} begins`)
      if (name === 'c') other.resolve()
      await other.promise
      log.push(`${name} ends`)
    },
  })
  await using runner = runnerFor(db, [slow], {})
  for (const name of ['a', 'b']) await openFlow(db, { kind: 'slow', subject: 's1', input: { name } })
  await openFlow(db, { kind: 'slow', subject: 's2', input: { name: 'c' } })
  await Promise.all([runner.runToEnd('s1'), runner.runToEnd('s2')])
  assert.deepEqual(
    log.filter((line) => !line.startsWith('c')),
    ['a begins', 'a ends', 'b begins', 'b ends'],
  )
})

test('a step can send the flow back to choose anew, and what was made since is undone first', async () => {
  await using db = await makeDb()
  const there = new Set<string>()
  const deps = { there }
  const picky = flow<{ excluded?: string[] }, typeof deps>('picky')
    .step({ name: 'note', run: () => ({ noted: true }) })
    .step({
      name: 'choose',
      run: ({ excluded = [] }) => ({ host: ['h1', 'h2', 'h3'].find((host) => !excluded.includes(host))! }),
    })
    .step({
      name: 'claim',
      run: ({ host }) => {
        there.add(host)
      },
      undo: ({ host }) => there.delete(host),
    })
    .step({
      name: 'spawn',
      run: ({ host, excluded = [] }) => {
        if (host !== 'h3') throw new RetryFrom('choose', { excluded: [...excluded, host] }, new Error('full'))
      },
    })
  await openFlow(db, { kind: 'picky', subject: 's1', input: {} })
  await using runner = runnerFor(db, [picky], deps)
  await runner.runToEnd('s1')
  assert.deepEqual([[...there], await listFlows(db)], [['h3'], []])
})

test('a cancelled flow stops waiting, unwinds, and tells why', async () => {
  await using world = await makeWorld()
  const { db, deps } = world
  const { promise: waits, resolve } = Promise.withResolvers<void>()
  const waiting: ErasedFlow<Deps> = {
    ...build,
    steps: [
      ...build.steps,
      {
        name: 'wait',
        run: (_values, _deps, { signal }) => {
          resolve()
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason)),
          )
        },
      },
    ],
  }
  await openFlow(db, { kind: 'build', subject: 's1', input })
  await using runner = runnerFor(db, [waiting], deps)
  runner.wake('s1')
  await waits
  assert.equal(await cancelFlows(db, 's1', ['build'], 'The server is being deleted.'), true)
  await runner.runToEnd('s1')
  assert.deepEqual([[...deps.there], deps.failures], [[], ['gone: The server is being deleted.']])
  assert.deepEqual(await listFlows(db), [])
})

test('a flow that is cancelled before it began does nothing but tell', async () => {
  await using world = await makeWorld()
  const { db, deps } = world
  await openFlow(db, { kind: 'build', subject: 's1', input })
  await cancelFlows(db, 's1', ['build'], 'no')
  await using runner = runnerFor(db, [build], deps)
  await runner.runToEnd('s1')
  assert.deepEqual([[...deps.there], deps.failures, await listFlows(db)], [[], ['gone: no'], []])
})

test('an undo that fails is kept and tried again', async () => {
  await using db = await makeDb()
  const deps = { broken: true, held: true }
  const stubborn = flow<object, typeof deps>('stubborn').step({
    name: 'hold',
    run: () => {
      throw new Fault('conflict', 'no')
    },
    undo: () => {
      if (deps.broken) throw new Error('not yet')
      deps.held = false
    },
  })
  await openFlow(db, { kind: 'stubborn', subject: 's1', input: {} })
  await using first = runnerFor(db, [stubborn], deps)
  await first.runToEnd('s1')
  const [row] = await listFlows(db)
  assert.deepEqual([row?.state, row?.step, row?.attempts, row?.owner], ['undoing', 'hold', 1, null])
  deps.broken = false
  await db.updateTable('flows').set({ lease_expires_at: '' }).execute()
  await first.runToEnd('s1')
  assert.deepEqual([deps.held, await listFlows(db)], [false, []])
})

test('a step that waits for what does not answer goes on later, and is not undone', async () => {
  await using db = await makeDb()
  const deps = { away: true, held: true, undone: false }
  const patient = flow<object, typeof deps>('patient')
    .step({
      name: 'begin',
      run: () => ({}),
      undo: () => {
        deps.undone = true
      },
    })
    .step({
      name: 'give back',
      waits: true,
      run: () => {
        if (deps.away) throw new Fault('unavailable', 'nobody there')
        deps.held = false
      },
    })
  await openFlow(db, { kind: 'patient', subject: 's1', input: {} })
  await using runner = runnerFor(db, [patient], deps)
  await runner.runToEnd('s1')
  const [row] = await listFlows(db)
  assert.deepEqual([row?.state, row?.step, row?.attempts, row?.owner], ['running', 'give back', 1, null])
  deps.away = false
  await db.updateTable('flows').set({ lease_expires_at: '' }).execute()
  await runner.runToEnd('s1')
  assert.deepEqual([deps.held, deps.undone, await listFlows(db)], [false, false, []])
})

test('a runner that stops leaves its flow to the next one without undoing it', async () => {
  await using world = await makeWorld()
  const { db, deps } = world
  const begun = Promise.withResolvers<void>()
  const slow = flow<object, Deps>('slow').step({
    name: 'wait',
    run: (_values, _deps, { signal }) => {
      begun.resolve()
      return new Promise<undefined>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
    },
  })
  await openFlow(db, { kind: 'slow', subject: 's1', input })
  const runner = runnerFor(db, [slow], deps)
  runner.wake('s1')
  await begun.promise
  await runner[Symbol.asyncDispose]()
  const [row] = await listFlows(db)
  assert.deepEqual([row?.state, row?.owner, row?.lease_expires_at], ['running', null, ''])
})

test('a flow that another runner holds is left alone until its lease is over', async () => {
  await using world = await makeWorld()
  const { db, deps } = world
  await openFlow(db, { kind: 'build', subject: 's1', input })
  const later = new Date(Date.now() + 60_000).toISOString()
  await db.updateTable('flows').set({ owner: 'other', lease_expires_at: later }).execute()
  await using runner = runnerFor(db, [build], deps)
  await runner.runToEnd('s1')
  assert.equal(deps.there.size, 0)
  await db.updateTable('flows').set({ lease_expires_at: '2001-01-01T00:00:00.000Z' }).execute()
  await runner.start()
  await runner.runToEnd('s1')
  await world.assertDone()
})

test('a flow that fails while the database is away is taken up again, also one that was cancelled', async () => {
  await using db = await makeDb()
  const done = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const fails = flow<{ id: string }, object>('fails')
    .step({
      name: 'fail',
      run: async () => {
        await cancelFlows(db, 's1', ['fails'], 'no longer wanted')
        await db.schema.alterTable('flows').renameTo('away').execute()
        throw new Fault('unavailable', 'made to fail')
      },
    })
    .onFailure(() => done.resolve())
  const goesOn = flow<{ id: string }, object>('goes-on').step({ name: 'wait', run: () => release.promise })
  await openFlow(db, { kind: 'goes-on', subject: 's2', input })
  await openFlow(db, { kind: 'fails', subject: 's1', input })
  await using runner = createFlowRunner({
    db,
    flows: [fails, goesOn],
    deps: {},
    owner: 'h1',
    log: silentLogger,
    leaseSeconds: 0.2,
  })
  runner.wake('s2')
  await runner.runToEnd('s1')
  await db.schema.alterTable('away').renameTo('flows').execute()
  await runner.start()
  // A runner's timers keep no process alive.
  const staying = setInterval(() => undefined, 1000)
  await done.promise
  clearInterval(staying)
  release.resolve()
})
