/** What Network says of a server's ports. */
import type { ExternalEvent } from '../rpc/conductor.ts'
import { setNetworkInfo } from '../store/instance-changes.ts'
import { findInstanceMapping } from '../store/instance-mappings.ts'
import { findInCell } from '../store/instances.ts'
import { findRequestSpec } from '../store/request-specs.ts'
import type { ConductorDeps } from './deps.ts'
import { cacheInterfaces } from './network-info.ts'

const refreshing = new Set(['network-changed', 'network-vif-deleted', 'network-vif-unplugged'])

export async function handleExternalEvents(
  deps: Pick<ConductorDeps, 'apiDb' | 'cells' | 'network' | 'networks'>,
  events: readonly ExternalEvent[],
): Promise<void> {
  const changed = new Set(events.filter(({ name }) => refreshing.has(name)).map((event) => event.serverUuid))
  for (const uuid of changed) await refreshNetworkInfo(deps, uuid)
}

/** Reads again what interfaces a server has. */
export async function refreshNetworkInfo(
  { apiDb, cells, network, networks }: Pick<ConductorDeps, 'apiDb' | 'cells' | 'network' | 'networks'>,
  uuid: string,
): Promise<void> {
  const cellId = (await findInstanceMapping(apiDb, uuid))?.cell_id
  if (cellId == null) return
  const cell = cells.byId(cellId)
  const instance = await findInCell(cell, uuid)
  // While it is built or deleted, the flow that does so writes what its interfaces are.
  if (instance === undefined || instance.vm_state === 'building' || instance.task_state === 'deleting') return
  const ports = await network.listPortsByDevice([uuid])
  for (const id of new Set(ports.map((port) => port.networkId))) networks.forget(id)
  const spec = await findRequestSpec(apiDb, uuid)
  const requested = Array.isArray(spec?.networks) ? spec.networks : []
  const order = new Map(instance.networkInfo.map((vif, index) => [vif.id, index]))
  const sorted = ports.toSorted((a, b) => (order.get(a.id) ?? order.size) - (order.get(b.id) ?? order.size))
  const info = cacheInterfaces(await networks.interfacesOf(sorted), requested)
  await setNetworkInfo(cell.db, uuid, info)
}
