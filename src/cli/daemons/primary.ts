/**
 * The primary of a program with workers: it holds the ports, keeps so many workers alive, and replaces them one by one
 * when the configuration is to be read again, each old one only once the new one serves.
 */
import cluster, { type Worker } from 'node:cluster'
import { sleep } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { gracefulSeconds } from './daemon.ts'
import { createNotifier, type Notifier } from './notify.ts'
import { type FromWorker, stuckAfterSeconds, type ToWorker } from './worker-messages.ts'

export interface PrimaryOptions {
  program: string
  count: number
  /** How many the configuration says now. */
  countAgain(): number
  /** Of the program, for its workers. */
  args: readonly string[]
  log: Logger
}

interface Held {
  worker: Worker
  heardAt: number
  ready: boolean
  waitsFor: string | null
  leaving: boolean
  /** True once it serves, false when it ended before. */
  settled: Promise<boolean>
}

/** A worker that ends so soon after it began is begun again later and later. */
const soonMilliseconds = 10_000
const longestPauseMilliseconds = 30_000

/** Resolves with the exit code once all workers have ended. */
export async function runPrimary(options: PrimaryOptions): Promise<number> {
  const { program, args, log } = options
  cluster.setupPrimary({ args: [program, ...args] })
  const primary = new Primary(options)
  using notifier = createNotifier(log, process.env, () => primary.isAlive())
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ why: signal }, 'stopping')
      stopped.resolve()
    })
  }
  process.on('SIGHUP', () => {
    notifier.reloading()
    void primary.replaceAll().then(() => notifier.ready())
  })
  log.info({ workers: options.count }, 'starting')
  const failure = await primary.start(notifier, stopped.promise)
  if (failure !== undefined) {
    console.error(`${program}: ${failure}`)
    await primary.stop()
    return 1
  }
  await stopped.promise
  notifier.stopping()
  await primary.stop()
  log.info('stopped')
  return 0
}

// While it starts it may be silent for long: on a busy machine reading the program takes its time.
const isStuck = (held: Held): boolean => held.ready && Date.now() - held.heardAt > stuckAfterSeconds * 1000

class Primary {
  readonly #o: PrimaryOptions
  readonly #held = new Set<Held>()
  #count: number
  #pause = 0
  #stopping = false
  #replacing: Promise<void> | undefined
  #again = false
  #onFailed: (reason: string) => void = () => undefined
  #notifier: Notifier | undefined
  readonly #watch: NodeJS.Timeout

  constructor(options: PrimaryOptions) {
    this.#o = options
    this.#count = options.count
    this.#watch = setInterval(() => this.#endStuck(), 5000).unref()
  }

  /** Undefined once all serve or the program is to stop; the reason when they cannot run at all. */
  async start(notifier: Notifier, stopped: Promise<void>): Promise<string | undefined> {
    this.#notifier = notifier
    const failed = new Promise<string>((resolve) => {
      this.#onFailed = resolve
    })
    const all = Array.from({ length: this.#count }, () => this.#begin().settled)
    const ready = (async () => {
      if ((await Promise.all(all)).every(Boolean)) notifier.ready()
    })()
    const first = await Promise.race([failed, ready, stopped])
    this.#onFailed = () => undefined
    return typeof first === 'string' ? first : undefined
  }

  /** Puts new workers in the place of all there are; nobody who asks notices. Asked again meanwhile, it does so again. */
  replaceAll(): Promise<void> {
    this.#again = true
    this.#replacing ??= (async () => {
      while (this.#again && !this.#stopping) {
        this.#again = false
        await this.#replaceOnce()
      }
    })().finally(() => {
      this.#replacing = undefined
    })
    return this.#replacing
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#watch)
    await Promise.all([...this.#held].map((held) => this.#dismiss(held)))
  }

  /** Whether no worker is stuck. */
  isAlive(): boolean {
    return ![...this.#held].some(isStuck)
  }

  async #replaceOnce(): Promise<void> {
    const { log, countAgain } = this.#o
    try {
      this.#count = countAgain()
    } catch (error) {
      log.error({ err: error }, 'the workers are as they were: the configuration cannot be read')
      return
    }
    const old = [...this.#held].filter((held) => !held.leaving)
    log.info({ workers: this.#count }, 'the configuration is read again: workers are replaced')
    for (let index = 0; index < this.#count && !this.#stopping; index++) {
      const held = this.#begin()
      if (!(await held.settled)) {
        log.error('a new worker could not serve: those that do stay')
        return
      }
      const before = old.shift()
      // It goes on answering while the next new one starts.
      if (before !== undefined) void this.#dismiss(before)
    }
    for (const held of old) void this.#dismiss(held)
    log.info('the workers were replaced')
  }

  #begin(): Held {
    const worker = cluster.fork()
    const settled = Promise.withResolvers<boolean>()
    const held: Held = {
      worker,
      heardAt: Date.now(),
      ready: false,
      waitsFor: null,
      leaving: false,
      settled: settled.promise,
    }
    this.#held.add(held)
    const begun = Date.now()
    worker.on('message', (message: FromWorker) => {
      held.heardAt = Date.now()
      if (message.kind === 'ready') {
        held.ready = true
        this.#pause = 0
        settled.resolve(true)
      } else if (message.kind === 'waiting') {
        held.waitsFor = message.what
        this.#notifier?.status(message.what ?? 'running')
      } else if (message.kind === 'failed') {
        held.leaving = true
        this.#onFailed(message.reason)
      }
    })
    worker.once('exit', (code, signal) => {
      this.#held.delete(held)
      settled.resolve(false)
      if (!held.leaving && !this.#stopping) void this.#beginAgain(begun, { code, signal })
    })
    return held
  }

  async #beginAgain(begun: number, how: { code: number; signal: string }): Promise<void> {
    this.#pause =
      Date.now() - begun < soonMilliseconds ? Math.min(this.#pause * 2 || 500, longestPauseMilliseconds) : 0
    this.#o.log.error({ ...how, pauseMilliseconds: this.#pause }, 'a worker ended; another takes its place')
    await sleep(this.#pause)
    const living = [...this.#held].filter((held) => !held.leaving).length
    if (!this.#stopping && living < this.#count) this.#begin()
  }

  /** Resolves when the worker has ended. */
  async #dismiss(held: Held): Promise<void> {
    held.leaving = true
    const { worker } = held
    if (worker.isDead()) return
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    if (worker.isConnected()) worker.send({ kind: 'stop' } satisfies ToWorker)
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), (gracefulSeconds + 10) * 1000)
    await gone
    clearTimeout(timer)
  }

  #endStuck(): void {
    for (const held of this.#held) {
      if (!isStuck(held)) continue
      this.#o.log.error({ pid: held.worker.process.pid }, 'a worker is stuck: it is ended')
      held.worker.process.kill('SIGKILL')
    }
  }
}
