/** The broker that the tests of one run share: it takes seconds to start. */
import { after } from 'node:test'
import type { OpenBus } from '../../../src/base/bus/open.ts'
import { openBus } from '../../../src/base/bus/open.ts'
import { newHexId } from '../../../src/base/ids.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { Rabbitmq, whyNoRabbitmq } from '../../../src/testing/rabbitmq.ts'

export const skip = whyNoRabbitmq() ?? false

let shared: Promise<Rabbitmq> | undefined

export function sharedRabbitmq(): Promise<Rabbitmq> {
  shared ??= Rabbitmq.start()
  return shared
}

after(async () => (await shared)?.[Symbol.asyncDispose]())

/** Topics of one test meet those of no other. */
export const ownExchange = (): string => `test-${newHexId()}`

/** A bus that is impatient enough for tests. */
export function openTestBus(transportUrl: string, exchange: string, more: Partial<OpenBus> = {}) {
  return openBus({
    transportUrl,
    exchange,
    log: silentLogger,
    graceSeconds: 5,
    ...more,
    options: { rabbitRetryInterval: 0.1, rabbitIntervalMax: 0.3, kombuReconnectDelay: 0.1, ...more.options },
  })
}
