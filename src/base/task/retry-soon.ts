/** An agent that could not do its work, for instance while the server is away, tries again after seconds. */
import type { Task } from './task.ts'

/** The same task, which asks to be woken soon after a run that failed. */
export function retrySoon(task: Task, wake: (name: string) => void, seconds = 2): Task & Disposable {
  let timer: NodeJS.Timeout | undefined
  return {
    ...task,
    async run() {
      clearTimeout(timer)
      try {
        await task.run()
      } catch (error) {
        timer = setTimeout(() => wake(task.name), seconds * 1000)
        timer.unref()
        throw error
      }
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
