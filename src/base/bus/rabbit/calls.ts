/** Calls that wait for their answers, which all come by one queue of this process. */
import type { Channel } from 'amqplib'
import { sleep } from '../../clock.ts'
import { Fault } from '../../errors.ts'
import { newHexId } from '../../ids.ts'
import type { Target } from '../bus.ts'
import type { MessagingConfig } from '../options.ts'
import { readReply, writeRequest } from './envelope.ts'
import type { BrokerLink, Session } from './link.ts'
import type { Outbox, Outgoing } from './outbox.ts'
import { queueOf, type Topology } from './topology.ts'

interface Waiting {
  resolve: (result: unknown) => void
  reject: (error: Error) => void
  /** Set anew by a sign of life. */
  silence: NodeJS.Timeout | undefined
  result: unknown
  /** Sends it once more, as the same message. */
  ask: () => void
  /** When the broker last confirmed it, or a server showed that it works on it; until then it is in the outbox. */
  heard: number | undefined
}

/** A timeout is explained by what the broker knows of the queue; it must not become much later by that. */
const explainMilliseconds = 1000

/** After the connection is back; answers that the broker still had, or that were waiting, are there sooner. */
const askAgainMilliseconds = 3000

export class Calls {
  readonly #link: BrokerLink
  readonly #outbox: Outbox
  readonly #topology: Topology
  readonly #config: MessagingConfig
  /** The same over all connections: a reply to a call from before a restart of the broker still arrives. */
  readonly #queue = `reply_${newHexId()}`
  readonly #waiting = new Map<string, Waiting>()
  #listening: { session: Session; channel: Promise<Channel> } | undefined

  constructor(link: BrokerLink, outbox: Outbox, topology: Topology, config: MessagingConfig) {
    this.#link = link
    this.#outbox = outbox
    this.#topology = topology
    this.#config = config
    link.watch(({ connected, since }) => {
      if (!connected) return
      this.#listenAgain()
      setTimeout(() => this.#askAgain(since), askAgainMilliseconds).unref()
    })
  }

  async call(target: Target, method: string, args: unknown, seconds: number): Promise<unknown> {
    const id = newHexId()
    const queue = queueOf(target)
    // What takes long must show that it is worked on, so that a server that died is noticed before the whole time is up.
    const patience = this.#config.rpcResponseTimeout
    const signOfLifeSeconds = seconds > patience ? patience : undefined
    const { uniqueId, content } = writeRequest(target, method, args, {
      id,
      replyQueue: this.#queue,
      signOfLifeSeconds,
    })
    const started = Date.now()
    const message: Outgoing = {
      exchange: this.#topology.exchange,
      routingKey: queue,
      uniqueId,
      content,
      persistent: false,
      until: started + (signOfLifeSeconds ?? seconds) * 1000,
      prepare: async (session) => {
        await this.#listen(session)
        await this.#topology.queue(session.send, queue)
      },
      unroutable: (session) => {
        this.#topology.forget(session.send, queue)
        return 'again'
      },
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const giveUp = (after: number): void => {
      void this.#whyUnanswered(queue, after, started).then((why) => {
        reject(
          new Fault('unavailable', `The message ${method} to ${queue} was not answered: ${why}.`, {
            to: queue,
            method,
          }),
        )
      })
    }
    const send = async (): Promise<void> => {
      waiting.heard = undefined
      if (await this.#outbox.send(message)) waiting.heard = Date.now()
    }
    const ask = (): void => void send().catch(reject)
    const waiting: Waiting = { resolve, reject, silence: undefined, result: null, ask, heard: undefined }
    const timer = setTimeout(giveUp, seconds * 1000, seconds)
    if (signOfLifeSeconds !== undefined) {
      waiting.silence = setTimeout(giveUp, signOfLifeSeconds * 1000, signOfLifeSeconds)
    }
    this.#waiting.set(id, waiting)
    ask()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      clearTimeout(waiting.silence)
      this.#waiting.delete(id)
    }
  }

  fail(error: Fault): void {
    for (const { reject } of this.#waiting.values()) reject(error)
  }

  /** Leaves no queue behind. */
  async close(): Promise<void> {
    const channel = await this.#listening?.channel.catch(() => undefined)
    await channel?.deleteQueue(this.#queue).catch(() => undefined)
  }

  async #listen(session: Session): Promise<void> {
    if (this.#listening?.session !== session) {
      const listening = { session, channel: this.#consume(session) }
      this.#listening = listening
      const forget = (): void => {
        if (this.#listening !== listening) return
        this.#listening = undefined
        if (!session.lost.aborted) this.#listenAgain()
      }
      listening.channel.then((channel) => channel.on('close', forget), forget)
    }
    await this.#listening.channel
  }

  /** Answers to calls from before the connection was lost may still come. Whoever calls next sees what is wrong. */
  #listenAgain(): void {
    if (this.#waiting.size === 0) return
    this.#link
      .session()
      .then((session) => this.#listen(session))
      .catch(() => undefined)
  }

  /**
   * A broker that is killed loses the calls and the answers that it had confirmed. A server that knows the message
   * already waits for the same handler, or answers it as before.
   */
  #askAgain(since: number): void {
    const { connected, since: now } = this.#link.state()
    if (!connected || now !== since) return
    for (const { heard, ask } of this.#waiting.values()) if (heard !== undefined && heard < since) ask()
  }

  async #consume(session: Session): Promise<Channel> {
    const channel = await session.receive.createChannel()
    channel.on('error', () => undefined)
    await channel.assertQueue(this.#queue, {
      durable: false,
      autoDelete: false,
      arguments: { 'x-expires': this.#config.rabbitTransientQueuesTtl * 1000 },
    })
    const take = (message: { content: Buffer } | null): void => {
      // The broker deleted the queue: the next call declares it anew, on a new channel.
      if (message === null) void channel.close().catch(() => undefined)
      else this.#answer(message.content)
    }
    await channel.consume(this.#queue, take, { noAck: true })
    return channel
  }

  #answer(content: Buffer): void {
    const reply = readReply(content)
    const waiting = reply === undefined ? undefined : this.#waiting.get(reply.callId)
    if (reply === undefined || waiting === undefined) return
    waiting.silence?.refresh()
    waiting.heard = Date.now()
    if ('failure' in reply.outcome) {
      waiting.reject(reply.outcome.failure)
      return
    }
    // Old servers send the result first and a second message that only ends the call.
    if (reply.outcome.result !== null) waiting.result = reply.outcome.result
    if (reply.ending) waiting.resolve(waiting.result)
  }

  async #whyUnanswered(queue: string, seconds: number, started: number): Promise<string> {
    const trouble = this.#link.trouble()
    if (trouble !== undefined) return trouble
    const { since, host } = this.#link.state()
    const nobody = await Promise.race([this.#isUnserved(queue), sleep(explainMilliseconds).then(() => false)])
    if (nobody) return `nobody serves the queue ${queue} at RabbitMQ ${host}`
    const meanwhile = since > started ? `; the connection to RabbitMQ at ${host} was lost meanwhile` : ''
    return `no answer within ${seconds} seconds${meanwhile}`
  }

  async #isUnserved(queue: string): Promise<boolean> {
    try {
      const { send } = await this.#link.session()
      const channel = await send.createChannel()
      channel.on('error', () => undefined)
      const { consumerCount } = await channel.checkQueue(queue)
      await channel.close()
      return consumerCount === 0
    } catch {
      return false
    }
  }
}
