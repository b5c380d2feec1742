/** What happens to a message that was delivered: its handler runs, once, and a call is answered. */
import { Fault } from '../../errors.ts'
import { newHexId } from '../../ids.ts'
import { type Logger, withLogContext } from '../../log.ts'
import type { Handler, ServerTarget } from '../bus.ts'
import { type Request, readRequest, writeError, writeResult, writeSignOfLife } from './envelope.ts'
import type { Replies } from './replies.ts'
import { queueOf } from './topology.ts'

/** So many messages back one that comes again is known. More than a server works on at a time. */
const remembered = 1000

export class Receiver {
  readonly #target: ServerTarget
  readonly #methods: Readonly<Record<string, Handler>>
  readonly #replies: Replies
  readonly #log: Logger
  /** What became of a message, by its unique id; the answer to a call until it is with the broker. */
  readonly #outcomes = new Map<string, Promise<Buffer | undefined>>()

  constructor(
    target: ServerTarget,
    methods: Readonly<Record<string, Handler>>,
    replies: Replies,
    log: Logger,
  ) {
    this.#target = target
    this.#methods = methods
    this.#replies = replies
    this.#log = log
  }

  /**
   * Resolves when the message is done with and may be acknowledged. One that comes again while it is worked on, since
   * the connection broke or the broker grew impatient, waits for the same handler.
   */
  async take(content: Buffer, redelivered: boolean): Promise<void> {
    const request = readRequest(content)
    if (request === undefined) {
      this.#log.error({ queue: queueOf(this.#target) }, 'dropped a message that names no method')
      return
    }
    const { call, uniqueId = newHexId() } = request
    let outcome = this.#outcomes.get(uniqueId)
    if (outcome === undefined) {
      outcome = this.#run(request, redelivered)
      this.#remember(uniqueId, outcome)
    }
    const answer = await outcome
    if (call === undefined || answer === undefined) return
    await this.#replies.send(call.replyQueue, answer)
    if (this.#outcomes.has(uniqueId)) this.#outcomes.set(uniqueId, Promise.resolve(undefined))
  }

  /** The answer to a call. Whatever a handler throws is an outcome too: a message is not tried for ever. */
  async #run(request: Request, redelivered: boolean): Promise<Buffer | undefined> {
    const { call, method, context } = request
    const requestId = context['request_id']
    const signs = this.#startSignsOfLife(call)
    try {
      const handler = this.#handlerOf(request)
      const run = async () => handler(request.args as never, { context, redelivered })
      const result = await (typeof requestId === 'string' ? withLogContext({ requestId }, run) : run())
      return call === undefined ? undefined : writeResult(call.id, result)
    } catch (error) {
      if (call !== undefined) return writeError(call.id, error)
      this.#log.error({ err: error, method, server: this.#target.server }, 'a message could not be handled')
      return undefined
    } finally {
      clearInterval(signs)
    }
  }

  /** Callers of what takes long want to hear that it is still worked on. */
  #startSignsOfLife(call: Request['call']): NodeJS.Timeout | undefined {
    if (call?.signOfLifeSeconds === undefined) return undefined
    const tell = (): void => {
      // The connection is closed for good: nobody can be told.
      this.#replies.send(call.replyQueue, writeSignOfLife(call.id)).catch(() => undefined)
    }
    return setInterval(tell, (call.signOfLifeSeconds / 2) * 1000)
  }

  #handlerOf({ method, namespace }: Request): Handler {
    for (const name of [`${namespace}.${method}`, method]) {
      if (Object.hasOwn(this.#methods, name)) return this.#methods[name]!
    }
    throw new Fault('not-implemented', `${queueOf(this.#target)} has no method ${method}.`)
  }

  #remember(uniqueId: string, outcome: Promise<Buffer | undefined>): void {
    this.#outcomes.set(uniqueId, outcome)
    if (this.#outcomes.size <= remembered) return
    const [oldest] = this.#outcomes.keys()
    if (oldest !== undefined) this.#outcomes.delete(oldest)
  }
}
