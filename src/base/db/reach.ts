/**
 * Whether a database server can be reached, remembered: while it cannot, who needs it is told so at once, instead of each
 * waiting for a connection of its own, and it is tried in the background until it is there again. For databases without
 * which a process goes on, such as those of cells.
 */
import { sleep } from '../clock.ts'
import { describeError, Fault } from '../errors.ts'
import type { Logger } from '../log.ts'

export interface ReachOptions {
  log: Logger
  /** What is lost with the server, for the log: `cell cell2`. */
  what: string
  /** A statement that is not answered for so long makes us ask whether anything is. */
  suspectMilliseconds?: number
  /** How long that question may take. */
  probeMilliseconds?: number
  /** Between two tries. */
  pauseMilliseconds?: number
}

/** Connects anew and has the server answer; rejects when it does not. */
type Probe = () => Promise<void>

const unanswered = 'nothing is answered, as when a firewall drops what is sent there or the machine is gone'

export class Reach {
  readonly #o: Required<ReachOptions>
  readonly #waiting = new Set<(reason: Fault) => void>()
  readonly #closed = new AbortController()
  #why: Fault | undefined
  #asking: Promise<void> | undefined

  constructor(options: ReachOptions) {
    const patience = { suspectMilliseconds: 5000, probeMilliseconds: 5000, pauseMilliseconds: 1000 }
    this.#o = { ...patience, ...options }
  }

  /** Throws why the server cannot be reached, as long as it is known that it cannot. */
  assertThere(): void {
    if (this.#why !== undefined) throw this.#why
  }

  /** A connection could not be had. */
  lost(why: Fault, probe: Probe): void {
    if (this.#why !== undefined || this.#closed.signal.aborted) return
    this.#why = why
    const { log, what } = this.#o
    log.warn(
      { failure: why.details['failure'] },
      `${what} is away until its database answers: ${why.message}`,
    )
    for (const reject of this.#waiting) reject(why)
    this.#waiting.clear()
    void this.#lookOut(probe, Date.now())
  }

  /** The outcome of what was asked of the server, or why it cannot be reached, once that is known. */
  answer<T>(work: Promise<T>, server: string, probe: Probe): Promise<T> {
    return new Promise((resolve, reject) => {
      const suspect = () => this.#suspect(server, probe)
      const timer = setInterval(suspect, this.#o.suspectMilliseconds).unref()
      this.#waiting.add(reject)
      work.then(resolve, reject).finally(() => {
        clearInterval(timer)
        this.#waiting.delete(reject)
      })
    })
  }

  close(): void {
    this.#closed.abort()
  }

  // What takes long may be much work: the server is away only if it answers nothing at all.
  #suspect(server: string, probe: Probe): void {
    this.#asking ??= this.#ask(probe)
      .catch((error: unknown) => {
        const why =
          error instanceof Fault ? error.message : `${server} cannot be reached: ${describeError(error)}.`
        this.lost(new Fault('unavailable', why, { failure: 'unreachable' }, error), probe)
      })
      .finally(() => {
        this.#asking = undefined
      })
  }

  async #ask(probe: Probe): Promise<void> {
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, this.#closed.signal])
    const late = sleep(this.#o.probeMilliseconds, signal).then(() => {
      throw new Error(unanswered)
    })
    late.catch(() => undefined)
    try {
      await Promise.race([probe(), late])
    } finally {
      ended.abort()
    }
  }

  async #lookOut(probe: Probe, since: number): Promise<void> {
    const { signal } = this.#closed
    while (!signal.aborted) {
      try {
        await sleep(this.#o.pauseMilliseconds, signal)
        await this.#ask(probe)
      } catch {
        continue
      }
      this.#why = undefined
      const seconds = Math.round((Date.now() - since) / 1000)
      this.#o.log.info({ seconds }, `${this.#o.what} is there again`)
      return
    }
  }
}
