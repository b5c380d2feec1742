/** Answers on their way back to the callers' queues. */
import { sleep } from '../../clock.ts'
import { newHexId } from '../../ids.ts'
import type { Logger } from '../../log.ts'
import type { MessagingConfig } from '../options.ts'
import type { BrokerLink } from './link.ts'
import type { Outbox } from './outbox.ts'

/** How soon a caller that was not there is looked for again. */
const retryMilliseconds = 250

export class Replies {
  readonly #link: BrokerLink
  readonly #outbox: Outbox
  readonly #config: MessagingConfig
  readonly #log: Logger

  constructor(link: BrokerLink, outbox: Outbox, config: MessagingConfig, log: Logger) {
    this.#link = link
    this.#outbox = outbox
    this.#config = config
    this.#log = log
  }

  /** Resolves when the broker has it, or when the caller is gone for good. */
  async send(queue: string, content: Buffer): Promise<void> {
    const reply = {
      exchange: '',
      routingKey: queue,
      uniqueId: newHexId(),
      content,
      persistent: false,
      unroutable: () => 'give up' as const,
    }
    while (!(await this.#outbox.send(reply))) {
      if (!this.#mayComeBack()) {
        this.#log.debug({ queue }, 'an answer was dropped: its caller is gone')
        return
      }
      await sleep(retryMilliseconds)
    }
  }

  /** Only after a restart of the broker a caller's queue can be missing and yet be declared anew soon. */
  #mayComeBack(): boolean {
    const { connected, since } = this.#link.state()
    return !connected || Date.now() - since < this.#config.kombuMissingConsumerRetryTimeout * 1000
  }
}
