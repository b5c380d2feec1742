/**
 * libvirt as the driver sees it: always there. A libvirtd that goes away is waited for, with one line in the log when
 * it goes and one when it is back; events are asked for again. Calls made meanwhile wait a while for its return; calls
 * that were under way fail, since nobody knows whether libvirtd still did them.
 */
import { sleep } from '../../../../base/clock.ts'
import { describeError, Fault } from '../../../../base/errors.ts'
import type { Logger } from '../../../../base/log.ts'
import { Connection } from './connection.ts'
import type { Args, LifecycleMessage, ProcedureName, Reply } from './procedures.ts'

export interface LibvirtClientOptions {
  socketPath: string
  /** Default `qemu:///system`. */
  uri?: string
  log: Logger
  onLifecycle: (message: LifecycleMessage) => void
  /** Called at every connection after the first: events may have been missed. */
  onReconnect: () => void
  /** How long a call waits for a libvirtd that is away. Default 60. */
  patienceSeconds?: number
}

const shortestPause = 50
const longestPause = 5_000

export class LibvirtClient implements AsyncDisposable {
  readonly #options: LibvirtClientOptions
  readonly #stop = new AbortController()
  /** Where calls wait while there is no connection. */
  #connected = Promise.withResolvers<Connection>()
  #connection: Connection | undefined
  #loop: Promise<void> | undefined

  constructor(options: LibvirtClientOptions) {
    this.#options = options
    this.#connected.promise.catch(() => undefined)
  }

  /** Resolves at the first connection, however long that takes; rejects only when closed before. */
  async start(): Promise<void> {
    this.#loop ??= this.#keepConnected()
    await this.#connected.promise
  }

  async call<P extends ProcedureName>(name: P, args: Args<P>): Promise<Reply<P>> {
    const connection = this.#connection ?? (await this.#awaitConnection())
    return connection.call(name, args)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Fault('unavailable', 'the libvirt client was closed'))
    this.#connected.reject(this.#stop.signal.reason)
    await this.#connection?.[Symbol.asyncDispose]()
    await this.#loop
  }

  async #awaitConnection(): Promise<Connection> {
    const patience = this.#options.patienceSeconds ?? 60
    const timer = new AbortController()
    const tooLong = sleep(patience * 1000, timer.signal).then(() => {
      throw new Fault(
        'unavailable',
        `libvirtd at ${this.#options.socketPath} has been away for ${patience} s; is it running?`,
      )
    })
    try {
      return await Promise.race([this.#connected.promise, tooLong])
    } finally {
      timer.abort()
      tooLong.catch(() => undefined)
    }
  }

  async #keepConnected(): Promise<void> {
    for (let first = true; !this.#stop.signal.aborted; first = false) {
      const connection = await this.#connect()
      if (connection === undefined) return
      this.#connection = connection
      this.#connected.resolve(connection)
      if (!first) this.#options.onReconnect()
      const reason = await connection.closed
      this.#connection = undefined
      if (this.#stop.signal.aborted) return
      this.#connected = Promise.withResolvers()
      this.#connected.promise.catch(() => undefined)
      this.#options.log.warn(
        { socket: this.#options.socketPath, reason: describeError(reason) },
        'lost libvirtd',
      )
    }
  }

  async #connect(): Promise<Connection | undefined> {
    const { log, socketPath, uri = 'qemu:///system', onLifecycle } = this.#options
    const started = Date.now()
    for (let pause = shortestPause, told = false; ; pause = Math.min(pause * 2, longestPause)) {
      try {
        const connection = await Connection.open({ socketPath, uri, onLifecycle })
        if (this.#stop.signal.aborted) {
          await connection[Symbol.asyncDispose]()
          return undefined
        }
        log.info({ socket: socketPath, waitedMs: Date.now() - started }, 'connected to libvirtd')
        return connection
      } catch (error) {
        if (!told)
          log.warn({ socket: socketPath, reason: describeError(error) }, 'libvirtd is away; waiting for it')
        told = true
      }
      try {
        await sleep(pause, this.#stop.signal)
      } catch {
        // Closed while waiting: the loop's condition ends it.
        return undefined
      }
    }
  }
}
