import { describeError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { RunningTasks, Task } from './task.ts'

/**
 * Runs each task at once, then every so many seconds, a tenth more or less so that a thousand hosts do not ask in
 * step; after `retrySeconds` when it failed. One run of a task at a time; an error is logged and the next run tries
 * again. Disposing waits for the runs that are under way.
 */
export function runTasks(tasks: readonly Task[], options: { log: Logger }): RunningTasks {
  const loops = new Map(tasks.map((task) => [task.name, new TaskLoop(task, options.log)]))
  const loop = (name: string): TaskLoop => {
    const found = loops.get(name)
    if (found === undefined) throw new Error(`there is no task ${name}`)
    return found
  }
  for (const each of loops.values()) each.wake()
  return {
    wake: (name) => loop(name).wake(),
    runNow: (name) => loop(name).runNow(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...loops.values()].map((each) => each.stop()))
    },
  }
}

class TaskLoop {
  readonly #task: Task
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #stopped = false
  #failing: string | undefined

  constructor(task: Task, log: Logger) {
    this.#task = task
    this.#log = log
  }

  wake(): void {
    void this.runNow()
  }

  // A run that began before the wake may have read what the wake is about too early: only a run that begins after counts.
  runNow(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    if (this.#running === undefined) return this.#start()
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#stopped ? undefined : this.#start()
    })
    return this.#next
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #start(): Promise<void> {
    clearTimeout(this.#timer)
    this.#running = this.#runOnce().finally(() => {
      this.#running = undefined
      if (this.#stopped) return
      const { everySeconds, retrySeconds = everySeconds } = this.#task
      const seconds = this.#failing === undefined ? everySeconds : retrySeconds
      const milliseconds = seconds * 1000 * (0.9 + Math.random() * 0.2)
      this.#timer = setTimeout(() => this.wake(), milliseconds).unref()
    })
    return this.#running
  }

  async #runOnce(): Promise<void> {
    const { name } = this.#task
    try {
      await this.#task.run()
      if (this.#failing !== undefined) this.#log.info({ task: name }, 'a task works again')
      this.#failing = undefined
    } catch (error) {
      // It may fail for hours, while what it needs is away: said once.
      const reason = describeError(error)
      if (reason === this.#failing) this.#log.debug({ task: name, reason }, 'a task failed again')
      else this.#log.error({ err: error, task: name }, 'a task failed; its next run tries again')
      this.#failing = reason
    }
  }
}
