/** What agents report at the same time becomes one transaction: while one is under way, the next reports gather. */
import { inWork, type Work, type WorkDeps } from '../work.ts'

interface Waiting<C> {
  change: C
  resolve: () => void
  reject: (error: unknown) => void
}

/** Returns a function that has a change made in a transaction with others, and resolves when it is committed. */
export function workTogether<C>(
  deps: WorkDeps,
  make: (work: Work, changes: readonly C[]) => Promise<void>,
): (change: C) => Promise<void> {
  let waiting: Waiting<C>[] = []
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

  async function runBatch(batch: readonly Waiting<C>[]): Promise<void> {
    try {
      const changes = batch.map(({ change }) => change)
      await inWork(deps, (work) => make(work, changes))
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
