/**
 * What must be there before a message can be sent or taken, in oslo.messaging's names and forms: a topic exchange per
 * service, queues `topic` and `topic.server` bound to it, and a fanout exchange per topic.
 */
import type { Channel, ChannelModel } from 'amqplib'
import type { Logger } from '../../log.ts'
import type { Target } from '../bus.ts'
import type { MessagingConfig } from '../options.ts'

export const queueOf = ({ topic, server }: Pick<Target, 'topic' | 'server'>): string =>
  server === undefined ? topic : `${topic}.${server}`

export const fanoutExchangeOf = (topic: string): string => `${topic}_fanout`

export class Topology {
  readonly exchange: string
  readonly #config: MessagingConfig
  readonly #log: Logger
  /** What was declared by which connection; it ends with the connection. */
  readonly #known = new WeakMap<ChannelModel, Map<string, Promise<void>>>()
  readonly #warned = new Set<string>()

  constructor(exchange: string, config: MessagingConfig, log: Logger) {
    this.exchange = exchange
    this.#config = config
    this.#log = log
  }

  /** Senders declare the queue as well as servers do: what is cast to a server that was never there is kept for it. */
  queue(connection: ChannelModel, queue: string): Promise<void> {
    return this.#once(connection, queue, async () => {
      const { durable, autoDelete, arguments: args } = this.#queueForm()
      const asWanted = await this.#declare(connection, `exchange ${this.exchange}`, {
        wanted: (channel) => channel.assertExchange(this.exchange, 'topic', { durable, autoDelete }),
        found: (channel) => channel.checkExchange(this.exchange),
      })
      // Whoever made the exchange expects queues like it: a real OpenStack service would refuse ours otherwise.
      const form = { durable: asWanted ? durable : !durable, autoDelete, arguments: args }
      await this.#declare(connection, `queue ${queue}`, {
        wanted: (channel) => channel.assertQueue(queue, form),
        found: (channel) => channel.checkQueue(queue),
      })
      await onChannel(connection, (channel) => channel.bindQueue(queue, this.exchange, queue))
    })
  }

  fanoutExchange(connection: ChannelModel, topic: string): Promise<void> {
    const name = fanoutExchangeOf(topic)
    return this.#once(connection, name, async () => {
      await onChannel(connection, (channel) => channel.assertExchange(name, 'fanout', fanoutForm))
    })
  }

  /** It is not there any more. */
  forget(connection: ChannelModel, name: string): void {
    this.#known.get(connection)?.delete(name)
  }

  #queueForm(): { durable: boolean; autoDelete: boolean; arguments: Record<string, unknown> } {
    const config = this.#config
    const limit = config.rabbitQuorumDeliveryLimit
    return {
      durable: config.amqpDurableQueues || config.rabbitQuorumQueue,
      autoDelete: config.amqpAutoDelete && !config.rabbitQuorumQueue,
      arguments: {
        ...(config.rabbitQuorumQueue ? { 'x-queue-type': 'quorum' } : {}),
        ...(config.rabbitQuorumQueue && limit > 0 ? { 'x-delivery-limit': limit } : {}),
      },
    }
  }

  #once(connection: ChannelModel, name: string, declare: () => Promise<void>): Promise<void> {
    let known = this.#known.get(connection)
    if (known === undefined) {
      known = new Map()
      this.#known.set(connection, known)
    }
    const done = known.get(name)
    if (done !== undefined) return done
    const doing = declare()
    known.set(name, doing)
    doing.catch(() => this.forget(connection, name))
    return doing
  }

  /** What another service declared in another form is used in that form, and false is returned: refusing helps nobody. */
  async #declare(
    connection: ChannelModel,
    what: string,
    how: { wanted: (channel: Channel) => Promise<unknown>; found: (channel: Channel) => Promise<unknown> },
  ): Promise<boolean> {
    try {
      await onChannel(connection, how.wanted)
      return true
    } catch (error) {
      if (!isRefused(error, preconditionFailed)) throw error
      await onChannel(connection, how.found)
      if (this.#warned.has(what)) return false
      this.#warned.add(what)
      this.#log.warn(
        { err: error },
        `the ${what} is there in another form than [oslo_messaging_rabbit] amqp_durable_queues and ` +
          'rabbit_quorum_queue ask for, and is used as it is: give every service on it the same settings',
      )
      return false
    }
  }
}

export const fanoutForm = { durable: false, autoDelete: true }

const preconditionFailed = 406

/** True for what the broker itself answered, by its reply code: 404, 403, 406. */
export const isRefused = (error: unknown, code?: number): boolean =>
  error instanceof Error &&
  'code' in error &&
  (code === undefined ? typeof error.code === 'number' : error.code === code)

/** A refused declaration closes its channel, so that each has one of its own. */
async function onChannel<T>(connection: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  const result = await work(channel)
  await channel.close()
  return result
}
