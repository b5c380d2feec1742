/** One server of a topic: keeps its three queues delivering, over lost connections and deleted queues. */
import type { Channel, ConsumeMessage } from 'amqplib'
import { sleep } from '../../clock.ts'
import { describeError, Fault } from '../../errors.ts'
import { newHexId } from '../../ids.ts'
import type { Logger } from '../../log.ts'
import type { ServerTarget } from '../bus.ts'
import type { MessagingConfig } from '../options.ts'
import type { BrokerLink, Session } from './link.ts'
import type { Receiver } from './receiver.ts'
import { fanoutExchangeOf, fanoutForm, queueOf, type Topology } from './topology.ts'

export interface ServedOptions {
  target: ServerTarget
  receiver: Receiver
  link: BrokerLink
  topology: Topology
  config: MessagingConfig
  log: Logger
}

interface Consuming {
  channel: Channel
  tags: readonly string[]
  /** Resolves with the reason for which nothing is delivered any more. */
  ended: Promise<string>
}

export class Served {
  readonly #options: ServedOptions
  readonly #stopped = new AbortController()
  readonly #running = new Set<Promise<void>>()
  readonly #ready = Promise.withResolvers<void>()
  #consuming: Consuming | undefined

  constructor(options: ServedOptions) {
    this.#options = options
    this.#ready.promise.catch(() => undefined)
    void this.#keepServing()
  }

  /** Resolves when the broker delivers for the first time. */
  ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Takes no more messages and waits for the handlers that run; the broker gives the rest to others. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#ready.reject(new Fault('unavailable', 'The server of messages was stopped.'))
    const { channel, tags = [] } = this.#consuming ?? {}
    if (channel !== undefined) await Promise.allSettled(tags.map(async (tag) => channel.cancel(tag)))
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
    await Promise.allSettled([(async () => channel?.close())()])
  }

  async #keepServing(): Promise<void> {
    const { link, log, target, config } = this.#options
    const queue = queueOf(target)
    let told = ''
    while (!this.#stopped.signal.aborted) {
      try {
        const session = await link.session()
        this.#consuming = await this.#consume(session)
        this.#ready.resolve()
        told = ''
        const why = await this.#consuming.ended
        if (session.lost.aborted || this.#stopped.signal.aborted) continue
        log.warn({ queue }, `RabbitMQ delivers no more: ${why}; the queues are declared anew`)
      } catch (error) {
        if (link.closed) return this.#ready.reject(error)
        const text = describeError(error)
        if (text !== told) log.error({ err: error, queue }, 'RabbitMQ does not let messages be taken')
        told = text
      }
      await sleep(config.kombuReconnectDelay * 1000, this.#stopped.signal).catch(() => undefined)
    }
  }

  async #consume(session: Session): Promise<Consuming> {
    const { target, topology, config } = this.#options
    const { promise: ended, resolve: end } = Promise.withResolvers<string>()
    const named = [target.topic, queueOf(target)]
    for (const queue of named) await topology.queue(session.receive, queue)
    const channel = await session.receive.createChannel()
    channel.on('error', (error) => end(error.message))
    channel.on('close', () => end('the channel was closed'))
    await channel.prefetch(config.rabbitQosPrefetchCount || config.executorThreadPoolSize)
    const fanout = await declareFanoutQueue(channel, target.topic)
    const tags: string[] = []
    for (const queue of [...named, fanout]) {
      const take = (message: ConsumeMessage | null): void => {
        if (message !== null) {
          this.#take(queue === fanout ? undefined : channel, message)
          return
        }
        topology.forget(session.receive, queue)
        end(`the queue ${queue} was deleted`)
        channel.close().catch(() => undefined)
      }
      // A wake that was delivered is as good as worked on: its queue ends with the connection in any case.
      const noAck = queue === fanout
      tags.push((await channel.consume(queue, take, { noAck })).consumerTag)
    }
    return { channel, tags, ended }
  }

  /** On a channel that wants to know when it is done with. */
  #take(channel: Channel | undefined, message: ConsumeMessage): void {
    const { receiver, log } = this.#options
    const handled = receiver.take(message.content, message.fields.redelivered).then(
      () => acknowledge(channel, message),
      (error: unknown) => log.error({ err: error }, 'a message could not be answered, and will come again'),
    )
    this.#running.add(handled)
    void handled.finally(() => this.#running.delete(handled))
  }
}

/** A new one for each connection, which ends with it: what was sent in between wakes nobody, and is not missed. */
async function declareFanoutQueue(channel: Channel, topic: string): Promise<string> {
  const exchange = fanoutExchangeOf(topic)
  const queue = `${exchange}_${newHexId()}`
  await channel.assertExchange(exchange, 'fanout', fanoutForm)
  await channel.assertQueue(queue, { exclusive: true, durable: false, autoDelete: true })
  await channel.bindQueue(queue, exchange, '')
  return queue
}

/** When the channel is gone the broker delivers the message again, and it is known then. */
function acknowledge(channel: Channel | undefined, message: ConsumeMessage): void {
  try {
    channel?.ack(message)
  } catch {
    // The channel is closed.
  }
}
