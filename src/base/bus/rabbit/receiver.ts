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
/** Answers to calls, for callers that ask again. An answer beyond that is made anew. */
const rememberedBytes = 4 * 1024 * 1024

interface Outcome {
  answer: Promise<Buffer | undefined>
  /** Of the answer, once it is there. */
  bytes: number
}

export class Receiver {
  readonly #target: ServerTarget
  readonly #methods: Readonly<Record<string, Handler>>
  readonly #replies: Replies
  readonly #log: Logger
  /** What became of a message, by its unique id: the answer to a call. */
  readonly #outcomes = new Map<string, Outcome>()
  #bytes = 0

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
    const known = this.#outcomes.get(uniqueId)
    const answer = await (known ?? this.#remember(uniqueId, this.#run(request, redelivered))).answer
    if (call !== undefined && answer !== undefined) await this.#replies.send(call.replyQueue, answer)
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

  #remember(uniqueId: string, answer: Promise<Buffer | undefined>): Outcome {
    const outcome: Outcome = { answer, bytes: 0 }
    this.#outcomes.set(uniqueId, outcome)
    void answer.then((content) => {
      if (content === undefined || this.#outcomes.get(uniqueId) !== outcome) return
      outcome.bytes = content.length
      this.#bytes += outcome.bytes
      this.#forget()
    })
    this.#forget()
    return outcome
  }

  /** The oldest first. For the sake of size alone, nothing that is still worked on. */
  #forget(): void {
    for (const [uniqueId, { bytes }] of this.#outcomes) {
      const isTooMany = this.#outcomes.size > remembered
      if (!isTooMany && this.#bytes <= rememberedBytes) return
      if (!isTooMany && bytes === 0) continue
      this.#outcomes.delete(uniqueId)
      this.#bytes -= bytes
    }
  }
}
