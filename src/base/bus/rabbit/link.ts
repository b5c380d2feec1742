/**
 * The way to the broker, kept open: it connects to one of the hosts, and when that is lost to the next, until it is
 * closed. What breaks is logged once, with host and cause, and once when it is there again.
 */
import type { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { sleep } from '../../clock.ts'
import { Fault } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { BusState } from '../bus.ts'
import type { MessagingConfig } from '../options.ts'
import { type BrokerHost, showHost } from '../transport-url.ts'
import { connect } from './connect.ts'
import { explainBroker } from './explain.ts'

/**
 * A broker that runs out of memory stops reading from connections that publish, acknowledgements included: what is
 * received has a connection of its own, so that queues can become empty again.
 */
export interface Session {
  readonly host: string
  readonly send: ChannelModel
  readonly receive: ChannelModel
  /** Aborted when either connection is lost; the other is closed then. */
  readonly lost: AbortSignal
}

export interface LinkOptions {
  hosts: readonly BrokerHost[]
  virtualHost: string
  config: MessagingConfig
  log: Logger
  name: string
}

export class BrokerLink {
  readonly #options: LinkOptions
  readonly #hosts: readonly BrokerHost[]
  readonly #closed = new AbortController()
  /** What was last logged of each host, so that a cause is logged once and not at every attempt. */
  readonly #told = new Map<BrokerHost, string>()
  readonly #listeners = new Set<(state: BusState) => void>()
  #next = Promise.withResolvers<Session>()
  #current: Session | undefined
  #state: BusState

  constructor(options: LinkOptions) {
    this.#options = options
    // Many processes with one URL shall not all go to its first host.
    this.#hosts = shuffled(options.hosts)
    this.#state = {
      transport: 'rabbit',
      connected: false,
      host: showHost(this.#hosts[0]!),
      since: Date.now(),
      why: 'it was not tried yet',
    }
    this.#next.promise.catch(() => undefined)
    void this.#keepOpen()
  }

  state(): BusState {
    return this.#state
  }

  watch(listener: (state: BusState) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** The open session, or the next; rejects when the link is closed. */
  session(): Promise<Session> {
    return this.#next.promise
  }

  get closed(): boolean {
    return this.#closed.signal.aborted
  }

  /** "RabbitMQ at controller:5672 cannot be reached since 12 s: …", for whoever waited in vain; else undefined. */
  trouble(): string | undefined {
    const { connected, since, why, host } = this.#state
    if (connected) return why ?? undefined
    return `RabbitMQ at ${host} has not been there for ${Math.round((Date.now() - since) / 1000)} s: ${why}`
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.#closed.abort()
    const gone = new Fault('unavailable', 'The message bus was closed.')
    this.#next.reject(gone)
    this.#next = Promise.withResolvers()
    this.#next.reject(gone)
    this.#next.promise.catch(() => undefined)
    this.#state = { ...this.#state, connected: false, since: Date.now(), why: 'closed' }
    const current = this.#current
    if (current !== undefined) await closeBoth(current.send, current.receive)
  }

  async #keepOpen(): Promise<void> {
    const { config } = this.#options
    let failures = 0
    while (!this.closed) {
      const session = await this.#connectToAny()
      if (session !== undefined) {
        failures = 0
        await new Promise((resolve) => session.lost.addEventListener('abort', resolve, { once: true }))
        continue
      }
      const seconds = config.rabbitRetryInterval + failures++ * config.rabbitRetryBackoff
      // Not all at the same moment, when a broker comes back that a thousand hosts wait for.
      const spread = 0.8 + 0.2 * Math.random()
      const milliseconds = Math.min(seconds, config.rabbitIntervalMax) * spread * 1000
      await sleep(milliseconds, this.#closed.signal).catch(() => undefined)
    }
  }

  /** Tries every host once. */
  async #connectToAny(): Promise<Session | undefined> {
    const { config, virtualHost, name } = this.#options
    const inTurn = config.kombuFailoverStrategy === 'shuffle' ? shuffled(this.#hosts) : this.#hosts
    for (const host of inTurn) {
      if (this.closed) return undefined
      const where = { host, virtualHost, config, name }
      try {
        const send = await connect(where)
        // One that breaks while the other is opened shall not be an uncaught error.
        send.on('error', () => undefined)
        const receive = await connect(where).catch(async (error: unknown) => {
          await send.close().catch(() => undefined)
          throw error
        })
        if (this.closed) await closeBoth(send, receive)
        else return this.#opened(host, send, receive)
      } catch (error) {
        this.#failed(host, explainBroker(error, { host, virtualHost, ssl: config.rabbitSsl }))
      }
    }
    return undefined
  }

  #opened(host: BrokerHost, send: ChannelModel, receive: ChannelModel): Session {
    const lost = new AbortController()
    const session = { host: showHost(host), send, receive, lost: lost.signal }
    let cause: unknown
    for (const connection of [send, receive]) {
      connection.on('error', (error) => {
        cause ??= error
      })
      connection.on('close', (error) => {
        if (lost.signal.aborted) return
        lost.abort()
        this.#current = undefined
        if (this.closed) return
        this.#next = Promise.withResolvers()
        this.#next.promise.catch(() => undefined)
        const { virtualHost, config } = this.#options
        const attempt = { host, virtualHost, ssl: config.rabbitSsl }
        this.#failed(host, explainLoss(cause ?? error, attempt))
        void closeBoth(send, receive)
      })
      connection.on('blocked', (reason) => {
        const why = `RabbitMQ at ${session.host} takes no messages until this is mended: ${reason}`
        this.#options.log.warn({ broker: session.host }, why)
        if (this.#current === session) this.#change({ connected: true, host: session.host, why })
      })
      connection.on('unblocked', () => {
        this.#options.log.info({ broker: session.host }, `RabbitMQ at ${session.host} takes messages again`)
        if (this.#current === session) this.#change({ connected: true, host: session.host, why: null })
      })
    }
    this.#current = session
    this.#told.clear()
    const { log } = this.#options
    const seconds = Math.round((Date.now() - this.#state.since) / 1000)
    log.info({ broker: session.host, seconds }, `connected to RabbitMQ at ${session.host}`)
    this.#change({ connected: true, host: session.host, why: null })
    this.#next.resolve(session)
    return session
  }

  #failed(host: BrokerHost, why: string): void {
    if (this.closed || this.#told.get(host) === why) return
    this.#told.set(host, why)
    const waits = 'messages wait, and it is tried again until it is there'
    this.#options.log.warn({ broker: showHost(host) }, `no RabbitMQ: ${why}; ${waits}`)
    this.#change({ connected: false, host: showHost(host), why })
  }

  #change(change: Pick<BusState, 'connected' | 'host' | 'why'>): void {
    const same = change.connected === this.#state.connected
    this.#state = { transport: 'rabbit', ...change, since: same ? this.#state.since : Date.now() }
    if (same) return
    for (const listener of this.#listeners) listener(this.#state)
  }
}

function explainLoss(error: unknown, attempt: Parameters<typeof explainBroker>[1]): string {
  if (error === undefined || /Unexpected close|ECONNRESET|EPIPE/.test(String(error))) {
    return `${showHost(attempt.host)} ended the connection`
  }
  return explainBroker(error, attempt)
}

/** A broker that does not say goodbye in this time is beyond a firewall. */
const goodbyeMilliseconds = 2000

async function closeBoth(...connections: ChannelModel[]): Promise<void> {
  const closing = connections.map(async (model) => {
    const { stream } = model.connection as unknown as { stream: Duplex }
    // Without this a socket whose packets go nowhere would live on for minutes, and the process with it.
    const timer = setTimeout(() => stream.destroy(), goodbyeMilliseconds).unref()
    stream.once('close', () => clearTimeout(timer))
    await model.close()
  })
  const ended = new AbortController()
  const all = Promise.allSettled(closing).finally(() => ended.abort())
  await Promise.race([all, sleep(goodbyeMilliseconds, ended.signal).catch(() => undefined)])
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
