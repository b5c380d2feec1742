/** What is known of hosts across cells: their services, whether those live, and in which zones they are. */

import { listHostZones } from '../../store/aggregates.ts'
import { type CellDb, inCells, inReachable } from '../../store/cell-dbs.ts'
import { type ComputeNodeRow, listComputeNodes } from '../../store/compute-nodes.ts'
import { isUp, listServices, type ServiceFilter, type ServiceRow } from '../../store/services.ts'
import type { CellDeps } from '../deps.ts'

export interface HostService extends ServiceRow {
  cell: CellDb
  up: boolean
  zone: string
}

/** The services of all cells that can be reached, the oldest of each first. */
export const listHostServices = async (deps: CellDeps, filter: ServiceFilter = {}): Promise<HostService[]> =>
  (await readHostServices(deps, filter)).services

/** The same, and the cells that cannot be reached. */
export async function readHostServices(
  deps: CellDeps,
  filter: ServiceFilter,
): Promise<{ services: HostService[]; away: CellDb[] }> {
  const { config } = deps
  const zones = await listHostZones(deps.apiDb)
  const { results, away } = await inCells(await deps.cells.all(), async (cell) =>
    (await listServices(cell.db, filter)).map((row): HostService => {
      const zone =
        row.binary === 'nova-compute'
          ? (zones.get(row.host) ?? config.defaultAvailabilityZone)
          : config.internalServiceZone
      return { ...row, cell, zone, up: isUp(row, config.serviceDownSeconds) }
    }),
  )
  return { services: results.flat(), away }
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
