import { hostNameOf } from '../../base/config/common/host.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import { consoleauthService, reportState } from '../../compute/cells/report-state.ts'
import type { novaOptions } from '../../compute/config-file/nova.ts'
import type { StartDaemon } from './daemon.ts'
import { openOwnCell } from './nova.ts'

/** Tells that it lives. Since Rocky, tokens of consoles are kept in the cells' databases, and nobody asks it for any. */
export const startNovaConsoleauth: StartDaemon<typeof novaOptions> = async (context) => {
  const { config, log } = context
  await using undo = new AsyncDisposableStack()
  const db = await openOwnCell(context, undo)
  const services = [consoleauthService]
  undo.use(runTasks([reportState({ db, host: hostNameOf(config), services })], { log }))
  return undo.move()
}
