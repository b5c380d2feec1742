/** The cloud in the foreground: what `up` starts in the background and talks to until it is ready. */
import { resolve } from 'node:path'
import { describeError, isFault } from '../base/errors.ts'
import { createLogger } from '../base/log.ts'
import { createNotifier } from './daemons/notify.ts'
import { forgetProcess, recordProcess, runningProcess, type StartMessage } from './up/process.ts'
import { layout, readSecrets, requireSettings } from './up/settings.ts'

export async function serve(options: { stateDir: string }): Promise<number> {
  const stateDir = resolve(options.stateDir)
  const settings = requireSettings(stateDir)
  const tell = (message: StartMessage) => {
    if (process.connected) process.send?.(message)
  }
  if (runningProcess(stateDir) !== undefined) {
    tell({ kind: 'failed', message: `The cloud in ${stateDir} runs already.` })
    return 1
  }
  recordProcess(stateDir)
  const log = createLogger({ destination: layout(stateDir).log })
  using notifier = createNotifier(log)
  // The launcher may be gone: what it still had to read must not end the cloud.
  process.on('disconnect', () => undefined)
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  const stop = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.resolve(signal))
  try {
    const { startCloud } = await import('./cloud.ts')
    await using _cloud = await startCloud({
      stateDir,
      settings,
      secrets: readSecrets(stateDir),
      log,
      onProgress: (text) => {
        tell({ kind: 'progress', text })
        notifier.status(text)
      },
    })
    log.info({ settings }, 'the cloud is up')
    tell({ kind: 'ready' })
    notifier.ready()
    const signal = await stop.promise
    notifier.stopping()
    log.info({ signal }, 'stopping')
  } catch (error) {
    log.fatal({ err: error }, 'the cloud cannot run')
    tell({ kind: 'failed', message: isFault(error) ? describeError(error) : String((error as Error).stack) })
    forgetProcess(stateDir)
    // Whatever the failed start left open must not keep the process.
    process.exit(1)
  }
  forgetProcess(stateDir)
  log.info('stopped')
  process.exit(0)
}
