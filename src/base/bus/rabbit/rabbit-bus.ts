/** The bus over RabbitMQ, in oslo.messaging's wire form, so that real OpenStack services can be at the other end. */
import { sleep } from '../../clock.ts'
import { Fault } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Bus, BusState, Handler, ServerTarget, Target } from '../bus.ts'
import type { MessagingConfig } from '../options.ts'
import type { TransportUrl } from '../transport-url.ts'
import { Calls } from './calls.ts'
import { writeRequest } from './envelope.ts'
import { BrokerLink } from './link.ts'
import { Outbox } from './outbox.ts'
import { Receiver } from './receiver.ts'
import { Replies } from './replies.ts'
import { Served } from './served.ts'
import { fanoutExchangeOf, queueOf, Topology } from './topology.ts'

export interface RabbitBusOptions {
  url: TransportUrl
  exchange: string
  config: MessagingConfig
  log: Logger
  name: string
  /** How long `close` waits for handlers, and for the broker to confirm. */
  graceSeconds: number
}

/** A wake that comes later is of no use: who missed it has read everything anew since. */
const wakeMilliseconds = 60_000

export class RabbitBus implements Bus {
  readonly #options: RabbitBusOptions
  readonly #link: BrokerLink
  readonly #topology: Topology
  // Each on a channel of its own: what the broker refuses of one kind does not hold up the others.
  readonly #messages: Outbox
  readonly #fanouts: Outbox
  readonly #answers: Outbox
  readonly #replies: Replies
  readonly #calls: Calls
  readonly #served = new Set<Served>()
  #closing: Promise<void> | undefined

  constructor(options: RabbitBusOptions) {
    const { url, exchange, config, log, name } = options
    this.#options = options
    this.#link = new BrokerLink({ hosts: url.hosts, virtualHost: url.virtualHost, config, log, name })
    this.#topology = new Topology(exchange, config, log)
    this.#messages = new Outbox(this.#link, log)
    this.#fanouts = new Outbox(this.#link, log)
    this.#answers = new Outbox(this.#link, log)
    this.#replies = new Replies(this.#link, this.#answers, config, log)
    this.#calls = new Calls(this.#link, this.#messages, this.#topology, config)
  }

  async serve(target: ServerTarget, methods: Readonly<Record<string, Handler>>): Promise<AsyncDisposable> {
    const { config, log } = this.#options
    const receiver = new Receiver(target, methods, this.#replies, log)
    const link = this.#link
    const served = new Served({ target, receiver, link, topology: this.#topology, config, log })
    this.#served.add(served)
    await served.ready()
    return {
      [Symbol.asyncDispose]: async () => {
        this.#served.delete(served)
        await served.stop()
      },
    }
  }

  async call<T>(
    target: Target,
    method: string,
    args: unknown,
    options?: { timeoutSeconds?: number },
  ): Promise<T> {
    this.#assertOpen()
    const seconds = options?.timeoutSeconds ?? this.#options.config.rpcResponseTimeout
    return (await this.#calls.call(target, method, args, seconds)) as T
  }

  async cast(target: Target, method: string, args: unknown): Promise<void> {
    this.#assertOpen()
    const queue = queueOf(target)
    const kept = await this.#messages.send({
      exchange: this.#topology.exchange,
      routingKey: queue,
      ...writeRequest(target, method, args),
      persistent: true,
      prepare: (session) => this.#topology.queue(session.send, queue),
      unroutable: (session) => {
        this.#topology.forget(session.send, queue)
        return 'again'
      },
    })
    if (!kept)
      throw new Fault('unavailable', `RabbitMQ has no queue ${queue} that keeps the message ${method}.`)
  }

  /** Waits for nothing: it is only a wake, and whoever sends it has other things to do when the broker is away. */
  async fanout(topic: string, method: string, args: unknown): Promise<void> {
    this.#assertOpen()
    const exchange = fanoutExchangeOf(topic)
    this.#fanouts
      .send({
        exchange,
        routingKey: '',
        ...writeRequest({}, method, args),
        persistent: false,
        mandatory: false,
        until: Date.now() + wakeMilliseconds,
        prepare: (session) => this.#topology.fanoutExchange(session.send, topic),
        unroutable: (session) => {
          this.#topology.forget(session.send, exchange)
          return 'again'
        },
      })
      .catch((error: unknown) => this.#options.log.debug({ err: error, topic }, 'a fanout was lost'))
  }

  /** Waits for nothing either. */
  async wake(target: ServerTarget, method: string, args: unknown): Promise<void> {
    this.#assertOpen()
    const queue = queueOf(target)
    this.#fanouts
      .send({
        exchange: this.#topology.exchange,
        routingKey: queue,
        ...writeRequest({}, method, args),
        persistent: false,
        until: Date.now() + wakeMilliseconds,
        prepare: (session) => this.#topology.queue(session.send, queue),
        unroutable: (session) => {
          this.#topology.forget(session.send, queue)
          return 'again'
        },
      })
      .catch((error: unknown) => this.#options.log.debug({ err: error, queue }, 'a wake was lost'))
  }

  state(): BusState {
    return this.#link.state()
  }

  watch(listener: (state: BusState) => void): Disposable {
    return this.#link.watch(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const late = new AbortController()
    const grace = sleep(this.#options.graceSeconds * 1000, late.signal).catch(() => undefined)
    const boxes = [this.#messages, this.#fanouts, this.#answers]
    await Promise.race([Promise.all([...this.#served].map((served) => served.stop())), grace])
    if (this.#link.state().connected)
      await Promise.race([Promise.all(boxes.map((box) => box.flushed())), grace])
    late.abort()
    const closed = new Fault('unavailable', 'The message bus was closed.')
    for (const box of boxes) box.fail(closed)
    this.#calls.fail(closed)
    await this.#calls.close()
    await this.#link.close()
  }

  #assertOpen(): void {
    if (this.#link.closed) throw new Fault('unavailable', 'The message bus is closed.')
  }
}
