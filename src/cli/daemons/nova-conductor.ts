import { rpcClient } from '../../base/bus/rpc.ts'
import { sleep } from '../../base/clock.ts'
import { hostNameOf } from '../../base/config/common/host.ts'
import type { Cell, Cells } from '../../compute/cells/open-cells.ts'
import { remoteScheduler } from '../../compute/conductor/remote-scheduler.ts'
import { startCellConductor } from '../../compute/conductor/start-cell-conductor.ts'
import { startConductor } from '../../compute/conductor/start-conductor.ts'
import { computeApiConfigOf } from '../../compute/config-file/api.ts'
import { conductorConfigOf, resourceConfigOf } from '../../compute/config-file/control.ts'
import type { novaOptions } from '../../compute/config-file/nova.ts'
import { agentRpc } from '../../compute/rpc/agent.ts'
import { createHostDirectory } from '../../compute/scheduler/host-directory.ts'
import type { Daemon, StartDaemon } from './daemon.ts'
import { databaseUrl } from './databases.ts'
import { agentsOfCells, busOf, processName } from './messages.ts'
import { type NovaContext, networkOf, openNovaDatabases, openOwnCell, placementOf } from './nova.ts'

/** Without `[api_database]` it is one of a cell's own, as OpenStack has them beside those that know the API's database. */
export const startNovaConductor: StartDaemon<typeof novaOptions> = (context) =>
  context.config.apiDatabaseConnection ? startForAll(context) : startForCell(context)

async function startForCell(context: NovaContext): Promise<Daemon> {
  const { config, log, program } = context
  log.warn(
    '[api_database] connection is not set: this conductor serves the hosts of its cell, and builds and deletes no ' +
      'servers. New hosts are used once nova-manage cell_v2 discover_hosts has mapped them.',
  )
  await using undo = new AsyncDisposableStack()
  const db = await openOwnCell(context, undo)
  const bus = busOf({ program, config, exchange: 'nova', log })
  undo.defer(() => bus.close())
  undo.use(
    await startCellConductor({
      host: hostNameOf(config),
      server: processName(config),
      cell: { id: 0, uuid: '', name: '', db },
      bus,
      agents: rpcClient(bus, agentRpc),
      placement: placementOf(config),
      resources: resourceConfigOf(config),
      log,
    }),
  )
  return undo.move()
}

async function startForAll(context: NovaContext): Promise<Daemon> {
  const { config, log, program } = context
  await using undo = new AsyncDisposableStack()
  const { apiDb, cells } = await openNovaDatabases(context, undo)
  await openOwnCell(context, undo)
  const cell = await awaitOwnCell(context, cells)
  const needs = { program, config, exchange: 'nova', log }
  const bus = busOf(needs)
  undo.defer(() => bus.close())
  const { agents } = undo.use(agentsOfCells(needs, bus, cells))
  const { serviceDownSeconds, defaultAvailabilityZone } = computeApiConfigOf(config)
  const conductor = undo.use(
    await startConductor({
      host: hostNameOf(config),
      server: processName(config),
      apiDb,
      cells,
      cell,
      bus,
      agents,
      scheduler: remoteScheduler(bus, log),
      directory: createHostDirectory({
        apiDb,
        cells: cells.withHosts,
        serviceDownSeconds,
        defaultAvailabilityZone,
      }),
      placement: placementOf(config),
      network: networkOf(context).client,
      config: conductorConfigOf(config),
      resources: resourceConfigOf(config),
      log,
    }),
  )
  await conductor.flows.start()
  return undo.move()
}

/** The cell whose database is this program's: who runs on its hosts speaks to us. */
async function awaitOwnCell({ config, log, onWait, signal }: NovaContext, cells: Cells): Promise<Cell> {
  const url = databaseUrl('database', config.databaseConnection)
  for (let said = false; ; said = true) {
    await cells.refresh()
    const own = (await cells.all()).find((cell) => cell.databaseUrl === url)
    if (own !== undefined) {
      if (said) onWait(null)
      return own
    }
    const what =
      'no cell has the database of [database] connection; make one with: nova-manage cell_v2 create_cell'
    if (!said) {
      log.warn(`waiting for the cell: ${what}`)
      onWait(`waiting for the cell: ${what}`)
    }
    await sleep(1000, signal)
  }
}
