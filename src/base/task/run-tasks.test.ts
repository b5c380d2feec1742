import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../log.ts'
import { runTasks } from './run-tasks.ts'

/** A task whose runs end when the test says so. */
function gatedTask() {
  const gates: (() => void)[] = []
  let running = 0
  const seen = { runs: 0, most: 0 }
  const task = {
    name: 'gated',
    everySeconds: 3600,
    async run() {
      seen.runs++
      running++
      seen.most = Math.max(seen.most, running)
      await new Promise<void>((resolve) => gates.push(resolve))
      running--
    },
  }
  return { task, seen, open: () => gates.shift()?.() }
}

test('wakes that come while a task runs become one further run', async () => {
  const { task, seen, open } = gatedTask()
  const tasks = runTasks([task], { log: silentLogger })
  assert.equal(seen.runs, 1)
  tasks.wake('gated')
  tasks.wake('gated')
  const last = tasks.runNow('gated')
  open()
  await new Promise(setImmediate)
  open()
  await last
  assert.deepEqual(seen, { runs: 2, most: 1 })
  await tasks[Symbol.asyncDispose]()
})

test('an error does not end a task', async () => {
  let runs = 0
  const run = async () => {
    runs++
    throw new Error('no')
  }
  const tasks = runTasks([{ name: 'failing', everySeconds: 0.001, run }], { log: silentLogger })
  while (runs < 3) await new Promise(setImmediate)
  await tasks[Symbol.asyncDispose]()
})

test('a task that failed runs again after its own time for that', async () => {
  let runs = 0
  const done = Promise.withResolvers<void>()
  const run = async () => {
    runs++
    if (runs < 3) throw new Error('no')
    done.resolve()
  }
  const task = { name: 'failing', everySeconds: 3600, retrySeconds: 0.001, run }
  const tasks = runTasks([task], { log: silentLogger })
  await done.promise
  await tasks[Symbol.asyncDispose]()
})

test('disposing waits for the run that is under way, and no further one begins', async () => {
  const { task, seen, open } = gatedTask()
  const tasks = runTasks([task], { log: silentLogger })
  tasks.wake('gated')
  let disposed = false
  const disposing = tasks[Symbol.asyncDispose]().then(() => {
    disposed = true
  })
  await new Promise(setImmediate)
  assert.equal(disposed, false)
  open()
  await disposing
  assert.equal(seen.runs, 1)
})
