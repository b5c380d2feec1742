import assert from 'node:assert/strict'
import type { Kysely } from 'kysely'
import type { ErasedFlow } from '../base/flow/flow.ts'
import { createFlowRunner } from '../base/flow/runner.ts'
import { type FlowTables, listFlows, openFlow } from '../base/flow/store.ts'
import { silentLogger } from '../base/log.ts'
import { crashAfter, failAfter, twice } from './break-flow.ts'

/** A fresh world in which one flow can be run. */
export interface FlowWorld<T extends FlowTables, Deps> extends AsyncDisposable {
  db: Kysely<T>
  deps: Deps
  subject: string
  input: object
  /** Rejects when the flow left anything behind. */
  assertUnwound(): Promise<void> | void
  /** Rejects unless the flow did its work, whole and once. */
  assertDone(): Promise<void> | void
}

type MakeWorld<T extends FlowTables, Deps> = () => Promise<FlowWorld<T, Deps>>

/** Fails the flow after each of its steps in turn: nothing may be left behind. */
export async function assertUnwinds<T extends FlowTables, Deps>(
  flow: ErasedFlow<Deps>,
  makeWorld: MakeWorld<T, Deps>,
): Promise<void> {
  for (const index of flow.steps.keys()) {
    await using world = await makeWorld()
    await run(failAfter(flow, index), world)
    await world.assertUnwound()
  }
}

/** Runs each step twice, to the end and back: it must make no difference. */
export async function assertRunsTwice<T extends FlowTables, Deps>(
  flow: ErasedFlow<Deps>,
  makeWorld: MakeWorld<T, Deps>,
): Promise<void> {
  await using world = await makeWorld()
  await run(twice(flow), world)
  await world.assertDone()
  await using failing = await makeWorld()
  await run(twice(failAfter(flow, flow.steps.length - 1)), failing)
  await failing.assertUnwound()
}

/** Kills the runner after each step in turn, before it wrote the outcome: another one must finish the work. */
export async function assertSurvivesCrashes<T extends FlowTables, Deps>(
  flow: ErasedFlow<Deps>,
  makeWorld: MakeWorld<T, Deps>,
): Promise<void> {
  for (const index of flow.steps.keys()) {
    await using world = await makeWorld()
    const crash = Promise.withResolvers<void>()
    const { db, deps, subject } = world
    await openFlow(db, { kind: flow.kind, subject, input: world.input })
    const flows = [crashAfter(flow, index, crash.resolve)]
    createFlowRunner({ db, flows, deps, owner: 'host:1', log: silentLogger }).wake(subject)
    await crash.promise
    await using second = createFlowRunner({
      db,
      flows: [flow],
      deps,
      owner: 'host:2',
      isDead: (owner) => owner.startsWith('host:1'),
      log: silentLogger,
    })
    await second.start()
    await second.runToEnd(subject)
    assert.deepEqual(await listFlows(db, subject), [], `after a crash in step ${index}`)
    await world.assertDone()
  }
}

async function run<T extends FlowTables, Deps>(
  flow: ErasedFlow<Deps>,
  world: FlowWorld<T, Deps>,
): Promise<void> {
  const { db, deps, subject, input } = world
  await openFlow(db, { kind: flow.kind, subject, input })
  await using runner = createFlowRunner({ db, flows: [flow], deps, owner: 'test', log: silentLogger })
  await runner.runToEnd(subject)
  assert.deepEqual(await listFlows(db, subject), [], 'the flow came to its end')
}
