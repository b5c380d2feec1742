/** Programs that work on the host itself run once on it: two of them would undo each other's work. */
import { join } from 'node:path'
import { hostNameOf } from '../../base/config/common/host.ts'
import type { DaemonContext } from './daemon.ts'

/** Holds the host's lock of this program, where `[oslo_concurrency] lock_path` says to keep one. */
export async function oncePerHost(
  context: Pick<DaemonContext, 'program' | 'log' | 'onWait' | 'signal'>,
  config: { lockPath: string | null; host: string | null },
  undo: AsyncDisposableStack,
): Promise<void> {
  const { program, log, onWait, signal } = context
  if (config.lockPath === null) return
  const path = join(config.lockPath, `${program}-${hostNameOf(config)}.lock`)
  const { lockFile } = await import('../../linux/file-lock.ts')
  let waited = false
  undo.use(
    await lockFile(path, {
      signal,
      onWait() {
        waited = true
        const what = `another ${program} of this host, which holds ${path}`
        log.warn(`waiting for the end of ${what}`)
        onWait(`waiting for the end of ${what}`)
      },
    }),
  )
  if (waited) onWait(null)
}
