/** The broker that the tests of one run share: it takes seconds to start. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import type { Bus } from '../../../src/base/bus/bus.ts'
import type { OpenBus } from '../../../src/base/bus/open.ts'
import { openBus } from '../../../src/base/bus/open.ts'
import { type Logger, silentLogger } from '../../../src/base/log.ts'
import { Rabbitmq, whyNoRabbitmq } from '../../../src/testing/rabbitmq.ts'

export const skip = whyNoRabbitmq() ?? false

let shared: Promise<Rabbitmq> | undefined

export function sharedRabbitmq(): Promise<Rabbitmq> {
  shared ??= Rabbitmq.start({ tls: certificates(), closedVhosts: ['closed'] })
  return shared
}

after(async () => {
  await (await shared)?.[Symbol.asyncDispose]()
  if (made !== undefined) rmSync(made.directory, { recursive: true })
})

interface Certificates {
  directory: string
  /** For 127.0.0.1, and signed by itself. */
  certFile: string
  keyFile: string
  caFile: string
  /** Signs nothing that is used here. */
  otherCaFile: string
}

let made: Certificates | undefined

export function certificates(): Certificates {
  if (made !== undefined) return made
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'))
  const create = (name: string): string => {
    const path = join(directory, `${name}.pem`)
    const form = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
    const files = ['-out', path, '-keyout', `${path}.key`]
    execFileSync('openssl', ['req', ...form, ...subject, ...files], { stdio: 'ignore' })
    return path
  }
  const certFile = create('broker')
  const otherCaFile = create('other')
  made = { directory, certFile, keyFile: `${certFile}.key`, caFile: certFile, otherCaFile }
  return made
}

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
