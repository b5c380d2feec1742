import { hostNameOf } from '../../base/config/common/host.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import { reportState, schedulerService } from '../../compute/cells/report-state.ts'
import { computeApiConfigOf } from '../../compute/config-file/api.ts'
import type { novaOptions } from '../../compute/config-file/nova.ts'
import { discoverHosts } from '../../compute/scheduler/discover-hosts.ts'
import { createHostDirectory } from '../../compute/scheduler/host-directory.ts'
import { createScheduler } from '../../compute/scheduler/scheduler.ts'
import { serveScheduler } from '../../compute/scheduler/serve-scheduler.ts'
import type { StartDaemon } from './daemon.ts'
import { busOf, processName } from './messages.ts'
import { openNovaDatabases, openOwnCell, placementOf } from './nova.ts'

export const startNovaScheduler: StartDaemon<typeof novaOptions> = async (context) => {
  const { config, log, program } = context
  await using undo = new AsyncDisposableStack()
  const { apiDb, cells } = await openNovaDatabases(context, undo)
  const db = await openOwnCell(context, undo)
  const { serviceDownSeconds, defaultAvailabilityZone } = computeApiConfigOf(config)
  const placement = placementOf(config)
  const directory = createHostDirectory({
    apiDb,
    cells: cells.withHosts,
    serviceDownSeconds,
    defaultAvailabilityZone,
  })
  const scheduler = createScheduler({
    apiDb,
    cells: cells.withHosts,
    refreshCells: cells.refresh,
    placement,
    directory,
    enabledFilters: config.enabledFilters,
    maxCandidates: config.maxPlacementResults,
  })
  const bus = busOf({ program, config, exchange: 'nova', log })
  undo.defer(() => bus.close())
  const host = hostNameOf(config)
  const tasks = [reportState({ db, host, services: [schedulerService] })]
  const { discoverHostsSeconds } = config
  if (discoverHostsSeconds >= 0) {
    const everySeconds = discoverHostsSeconds || 60
    tasks.push(discoverHosts({ apiDb, cells: cells.withHosts, everySeconds, log }))
  }
  undo.use(runTasks(tasks, { log }))
  undo.use(await serveScheduler(bus, processName(config), scheduler))
  return undo.move()
}
