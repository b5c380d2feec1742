/**
 * What is to be sent, in order. A message leaves the outbox when the broker has confirmed that it keeps it; when the
 * connection is lost before, it is sent again on the next one. So a message may come twice, with the same unique id,
 * and none is lost.
 */
import type { ConfirmChannel, Message } from 'amqplib'
import { Fault } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { BrokerLink, Session } from './link.ts'
import { isRefused } from './topology.ts'

export interface Outgoing {
  exchange: string
  routingKey: string
  uniqueId: string
  content: Buffer
  /** False: it does not matter whether anybody gets it. */
  mandatory?: boolean
  /** Survives a restart of the broker, in a queue that does. */
  persistent: boolean
  /** Milliseconds since the epoch after which nobody wants it any more. */
  until?: number
  /** Sees to exchange and queue on each new connection; called before each attempt. */
  prepare?: (session: Session) => Promise<unknown>
  /** The broker found no queue for it, or no exchange. */
  unroutable: (session: Session) => 'again' | 'give up'
}

interface Entry {
  message: Outgoing
  /** On the connection that it was last sent on. */
  attempts: number
  session: Session | undefined
  returned: boolean
  /** `false`: given up as unroutable, or nobody wants it any more. */
  done: (kept: boolean) => void
  fail: (error: unknown) => void
}

/** Sent and not confirmed yet. More would only lie in the broker's socket, and be sent again if it breaks. */
const window = 500

/** Beyond this the sender is told: a broker that is away for long must not fill the memory. */
const limit = 20_000

/** A message that the broker refuses so often on a connection that stands is not the right kind of message. */
const maxAttempts = 5

export class Outbox {
  readonly #link: BrokerLink
  readonly #log: Logger
  readonly #waiting: Entry[] = []
  readonly #unconfirmed = new Set<Entry>()
  #open: { session: Session; channel: ConfirmChannel } | undefined
  #pumping = false
  #onChange: (() => void)[] = []

  constructor(link: BrokerLink, log: Logger) {
    this.#link = link
    this.#log = log
  }

  /** Resolves when the broker keeps the message: true, or false when it is unroutable or was not wanted any more. */
  send(message: Outgoing): Promise<boolean> {
    if (this.#waiting.length >= limit) this.#dropLate()
    if (this.#waiting.length >= limit) {
      const why = this.#link.trouble() ?? 'RabbitMQ confirms too slowly'
      return Promise.reject(new Fault('unavailable', `${limit} messages wait to be sent already: ${why}.`))
    }
    return new Promise((done, fail) => {
      this.#waiting.push({ message, attempts: 0, session: undefined, returned: false, done, fail })
      this.#start()
    })
  }

  /** Resolves when nothing is left to send or to be confirmed. */
  async flushed(): Promise<void> {
    while (this.#waiting.length + this.#unconfirmed.size > 0) await this.#changed()
  }

  /** Ends everything that was not kept by the broker. */
  fail(error: Fault): void {
    for (const entry of [...this.#unconfirmed, ...this.#waiting.splice(0)]) entry.fail(error)
    this.#unconfirmed.clear()
    this.#tell()
  }

  #start(): void {
    if (this.#pumping) return
    this.#pumping = true
    // Errors of single messages go to their senders; what arrives here ends them all, as the end of the link does.
    void this.#pump()
      .catch((error: unknown) => this.fail(asFault(error)))
      .finally(() => {
        this.#pumping = false
        if (this.#waiting.length > 0 && !this.#link.closed) this.#start()
      })
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      const { session, channel } = await this.#channel()
      this.#dropLate()
      const entry = this.#waiting[0]
      if (entry === undefined) return
      try {
        await entry.message.prepare?.(session)
      } catch (error) {
        if (session.lost.aborted) continue
        this.#remove(entry)
        entry.fail(new Fault('unavailable', 'RabbitMQ does not let the message be sent', {}, error))
        continue
      }
      if (this.#open?.channel !== channel || !this.#remove(entry)) continue
      this.#publish(entry, session, channel)
      if (this.#unconfirmed.size >= window) await this.#changed()
    }
  }

  /** Calls whose callers have given up. */
  #dropLate(): void {
    const now = Date.now()
    while ((this.#waiting[0]?.message.until ?? Number.POSITIVE_INFINITY) <= now) {
      this.#waiting.shift()?.done(false)
      this.#tell()
    }
  }

  #publish(entry: Entry, session: Session, channel: ConfirmChannel): void {
    const { message } = entry
    entry.attempts = entry.session === session ? entry.attempts + 1 : 1
    entry.session = session
    entry.returned = false
    this.#unconfirmed.add(entry)
    const options = {
      mandatory: message.mandatory ?? true,
      deliveryMode: message.persistent ? 2 : 1,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: {},
      messageId: message.uniqueId,
      ...(message.until === undefined ? {} : { expiration: Math.max(1, message.until - Date.now()) }),
    }
    try {
      channel.publish(message.exchange, message.routingKey, message.content, options, (error: unknown) => {
        this.#answered(entry, session, error)
      })
    } catch {
      this.#again(entry)
    }
  }

  #answered(entry: Entry, session: Session, error: unknown): void {
    if (!this.#unconfirmed.delete(entry)) return
    if (error) this.#again(entry)
    else if (!entry.returned) entry.done(true)
    else if (entry.message.unroutable(session) === 'give up' || entry.attempts >= maxAttempts)
      entry.done(false)
    else this.#again(entry)
    this.#tell()
  }

  /** To be sent before what was never sent, in the order in which it was asked for. */
  #again(entry: Entry): void {
    this.#unconfirmed.delete(entry)
    const at = this.#waiting.findIndex((other) => other.attempts === 0)
    this.#waiting.splice(at === -1 ? this.#waiting.length : at, 0, entry)
    if (!this.#link.closed) this.#start()
  }

  async #channel(): Promise<{ session: Session; channel: ConfirmChannel }> {
    for (;;) {
      const session = await this.#link.session()
      if (this.#open?.session === session) return this.#open
      const channel = await session.send.createConfirmChannel().catch((error: unknown) => {
        if (!session.lost.aborted) throw error
      })
      if (channel === undefined || session.lost.aborted) continue
      const open = { session, channel }
      channel.on('error', (error) => this.#refused(session, error))
      channel.on('close', () => {
        if (this.#open === open) this.#open = undefined
      })
      channel.on('return', (returned: Message) => {
        const { messageId } = returned.properties
        for (const entry of this.#unconfirmed) if (entry.message.uniqueId === messageId) entry.returned = true
      })
      this.#open = open
      return open
    }
  }

  /** The broker closed the channel: a fanout exchange had ended with its last server, most likely. */
  #refused(session: Session, error: Error): void {
    this.#log.debug({ err: error }, 'RabbitMQ closed a channel; what was on it is sent again')
    for (const entry of [...this.#unconfirmed]) {
      if (entry.message.unroutable(session) === 'again' && entry.attempts < maxAttempts) continue
      this.#unconfirmed.delete(entry)
      if (isRefused(error, 404)) entry.done(false)
      else entry.fail(new Fault('unavailable', 'RabbitMQ refused the message', {}, error))
    }
  }

  #remove(entry: Entry): boolean {
    const at = this.#waiting.indexOf(entry)
    if (at === -1) return false
    this.#waiting.splice(at, 1)
    this.#tell()
    return true
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve))
  }

  #tell(): void {
    for (const resolve of this.#onChange.splice(0)) resolve()
  }
}

const asFault = (error: unknown): Fault =>
  error instanceof Fault ? error : new Fault('unavailable', 'RabbitMQ takes no messages', {}, error)
