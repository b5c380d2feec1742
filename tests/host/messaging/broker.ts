/** The broker that the tests of one run share: it takes seconds to start. */
import { after, type TestContext } from 'node:test'
import type { Bus } from '../../../src/base/bus/bus.ts'
import type { OpenBus } from '../../../src/base/bus/open.ts'
import { openBus } from '../../../src/base/bus/open.ts'
import { type Logger, silentLogger } from '../../../src/base/log.ts'
import { Rabbitmq, whyNoRabbitmq } from '../../../src/testing/rabbitmq.ts'

export const skip = whyNoRabbitmq() ?? false

let shared: Promise<Rabbitmq> | undefined

export function sharedRabbitmq(): Promise<Rabbitmq> {
  shared ??= Rabbitmq.start()
  return shared
}

after(async () => (await shared)?.[Symbol.asyncDispose]())

/** A bus that is impatient enough for tests. */
export function openTestBus(transportUrl: string, more: Partial<OpenBus> = {}): Bus {
  return openBus({
    transportUrl,
    exchange: 'nova',
    log: silentLogger,
    graceSeconds: 5,
    ...more,
    options: { rabbitRetryInterval: 0.1, rabbitIntervalMax: 0.3, kombuReconnectDelay: 0.1, ...more.options },
  })
}

/** Closed when the test ends, whatever becomes of it. */
export function openBusFor(t: TestContext, ...how: Parameters<typeof openTestBus>): Bus {
  const bus = openTestBus(...how)
  t.after(() => bus.close())
  return bus
}

/** A log whose lines a test can read. */
export function recordingLog() {
  const lines: { level: string; msg: string }[] = []
  const write = (level: string) => (fields: object, msg: string) => void lines.push({ ...fields, level, msg })
  const log = {
    debug: () => undefined,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  } as unknown as Logger
  return { log, lines }
}
