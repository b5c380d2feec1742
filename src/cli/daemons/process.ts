/** The life of a process that does a program's work: alone, or as one of its workers. */
import cluster from 'node:cluster'
import { sleep } from '../../base/clock.ts'
import { describeError, isFault } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { ProgramName } from '../config/programs.ts'
import { type Daemon, gracefulSeconds } from './daemon.ts'
import { createNotifier } from './notify.ts'
import type { Configuration } from './read-configuration.ts'
import { daemons } from './table.ts'
import { aliveEverySeconds, type FromWorker, type ToWorker } from './worker-messages.ts'

export interface ProcessOptions {
  program: ProgramName
  first: Configuration
  /** The configuration as it is now. */
  read(): Configuration
  log: Logger
}

/** Resolves with the exit code once what was asked to stop has stopped. */
export async function runProcess({ program, first, read, log }: ProcessOptions): Promise<number> {
  // Nothing else may keep the process while there is nothing to do: timers of tasks do not.
  const staying = setInterval(() => undefined, 1 << 30)
  using notifier = createNotifier(log)
  using primary = openPrimary()
  const stop = new AbortController()
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  const end = (why: string) => {
    if (stop.signal.aborted) return
    log.info({ why }, 'stopping')
    stop.abort(new Error(`stopped by ${why}`))
  }
  if (cluster.isWorker) {
    // Sent to the whole group by a terminal or systemd; the primary says what to do about it.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'stop') end('its primary')
      if (message.kind === 'reload') reload()
    })
  } else {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal))
    process.on('SIGHUP', () => {
      notifier.reloading()
      reload()
      notifier.ready()
    })
  }
  function reload(): void {
    try {
      applyLive(read(), first, log)
    } catch (error) {
      log.error({ reason: describeError(error) }, 'the configuration is as it was: it could not be read')
    }
  }
  let daemon: Daemon
  try {
    const start = await daemons[program].load()
    const starting = start({
      program,
      config: first.config as never,
      readAgain: () => read().config as never,
      policyOverrides: first.policyOverrides,
      log,
      onWait: (what) => {
        notifier.status(what ?? 'running')
        primary.send({ kind: 'waiting', what })
      },
      signal: stop.signal,
    })
    const started = await Promise.race([starting, stopped])
    if (started === undefined) {
      // Whatever it waits for, such as its broker: nothing has begun, and what it holds ends with the process.
      starting.catch(() => undefined)
      log.info('stopped before it had started')
      return 0
    }
    daemon = started
  } catch (error) {
    if (stop.signal.aborted) return 0
    const reason = isFault(error) ? describeError(error) : String((error as Error).stack)
    // A bug is told whole; of anything else the sentence is all there is to know.
    log.fatal(isFault(error) ? { reason } : { err: error }, `${program} cannot run`)
    if (!process.stderr.isTTY || cluster.isWorker) console.error(`${program}: ${reason}`)
    primary.send({ kind: 'failed', reason })
    return 1
  }
  log.info('running')
  notifier.ready()
  primary.send({ kind: 'ready' })
  await stopped
  notifier.stopping()
  await finish(daemon, log)
  clearInterval(staying)
  log.info('stopped')
  return 0
}

async function finish(daemon: Daemon, log: Logger): Promise<void> {
  const orderly = (async () => {
    await daemon.drain?.()
    await daemon[Symbol.asyncDispose]()
    return true
  })()
  const over = new AbortController()
  const late = sleep(gracefulSeconds * 1000, over.signal).then(
    () => false,
    () => true,
  )
  const inTime = await Promise.race([orderly, late]).catch((error: unknown) => {
    log.error({ err: error }, 'stopping failed')
    return true
  })
  over.abort()
  if (!inTime) log.warn({ seconds: gracefulSeconds }, 'what was in flight took too long')
}

// The rest of what changed waits for a restart: it is told which.
function applyLive(now: Configuration, first: Configuration, log: Logger): void {
  log.level = now.logging.level
  const changed = Object.keys(now.config).filter(
    (key) =>
      key !== 'debug' &&
      JSON.stringify(now.config[key as never]) !== JSON.stringify(first.config[key as never]),
  )
  log.info({ level: now.logging.level, waitForRestart: changed }, 'the configuration was read again')
}

function openPrimary(): Disposable & { send(message: FromWorker): void } {
  if (!cluster.isWorker) return { send: () => undefined, [Symbol.dispose]: () => undefined }
  const send = (message: FromWorker) => {
    if (process.connected) process.send?.(message)
  }
  const timer = setInterval(() => send({ kind: 'alive' }), aliveEverySeconds * 1000).unref()
  return { send, [Symbol.dispose]: () => clearInterval(timer) }
}
