/** What is known of hosts across cells: their services, whether those live, and in which zones they are. */

import { listHostZones } from '../../store/aggregates.ts'
import { type CellDb, inReachable } from '../../store/cell-dbs.ts'
import { type ComputeNodeRow, listComputeNodes } from '../../store/compute-nodes.ts'
import { isUp, listServices, type ServiceFilter, type ServiceRow } from '../../store/services.ts'
import type { CellDeps } from '../deps.ts'

export interface HostService extends ServiceRow {
  cell: CellDb
  up: boolean
  zone: string
}

/** The services of all cells that can be reached, the oldest of each first. */
export async function listHostServices(deps: CellDeps, filter: ServiceFilter = {}): Promise<HostService[]> {
  const { config } = deps
  const zones = await listHostZones(deps.apiDb)
  const ofCells = await inReachable(await deps.cells.all(), async (cell) =>
    (await listServices(cell.db, filter)).map((row): HostService => {
      const zone =
        row.binary === 'nova-compute'
          ? (zones.get(row.host) ?? config.defaultAvailabilityZone)
          : config.internalServiceZone
      return { ...row, cell, zone, up: isUp(row, config.serviceDownSeconds) }
    }),
  )
  return ofCells.flat()
}

export interface Hypervisor {
  node: ComputeNodeRow
  service: HostService
}

/** The compute nodes of all cells that have a service. */
export async function listHypervisors(
  deps: CellDeps,
  filter: { host?: string; hostnameLike?: string; uuid?: string } = {},
): Promise<Hypervisor[]> {
  const services = await listHostServices(deps, { binary: 'nova-compute' })
  const ofCells = await inReachable(await deps.cells.all(), async (cell) => {
    const nodes = await listComputeNodes(cell.db, filter)
    return nodes.flatMap((node): Hypervisor[] => {
      const service = services.find((one) => one.host === node.host && one.cell.id === cell.id)
      return service === undefined ? [] : [{ node, service }]
    })
  })
  return ofCells.flat()
}
