/** What agents report at the same time becomes one transaction: while one is under way, the next reports gather. */
import { inWork, type Work, type WorkDeps } from '../work.ts'

type Change = (work: Work) => Promise<void>

interface Waiting {
  change: Change
  resolve: () => void
  reject: (error: unknown) => void
}

/** Returns a function that makes a change in a transaction with others, and resolves when it is committed. */
export function workTogether(deps: WorkDeps): (change: Change) => Promise<void> {
  let waiting: Waiting[] = []
  let running = false

  async function run(): Promise<void> {
    running = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await runBatch(batch)
    }
    running = false
  }

  async function runBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      await inWork(deps, async (work) => {
        for (const { change } of batch) await change(work)
      })
    } catch (error) {
      // One that fails must not fail the others.
      if (batch.length > 1) for (const each of batch) await runBatch([each])
      else batch[0]!.reject(error)
      return
    }
    for (const { resolve } of batch) resolve()
  }

  return (change) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ change, resolve, reject })
      if (!running) void run()
    })
}
