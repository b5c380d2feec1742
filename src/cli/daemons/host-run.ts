/** The host's tools for a program that works on the host, by its privileged helper where it does not run as root. */
import type { Logger } from '../../base/log.ts'
import type { RootHelperOptions } from '../../linux/rootwrap/client.ts'
import type { Run } from '../../linux/run.ts'

/** `how` names the project and how its helper is started. */
export async function runOnHost(
  how: Omit<RootHelperOptions, 'log'>,
  log: Logger,
  undo: AsyncDisposableStack,
): Promise<Run> {
  const { hostRun } = await import('../../linux/run.ts')
  if (process.getuid?.() === 0) return hostRun(log)
  const { rootHelper } = await import('../../linux/rootwrap/client.ts')
  return hostRun(log, undo.use(rootHelper({ ...how, log })))
}
