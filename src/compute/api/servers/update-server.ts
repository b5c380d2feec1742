import { inTransaction } from '../../../base/db/transaction.ts'
import { schemaAt } from '../../../base/http/fields.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { lockBuildRequest, updateBuildRequest } from '../../store/build-requests.ts'
import { type InstanceChanges, updateInstance } from '../../store/instance-changes.ts'
import type { Instance } from '../../store/instance-records.ts'
import { getInstance, instanceNotFound } from '../../store/instances.ts'
import type { CellDeps, NetworkDeps } from '../deps.ts'
import { byVersion, wrapped } from '../schema-types.ts'
import { shortAddress } from './addresses.ts'
import { afterUpdate, serverFields } from './server.ts'
import { serverViewer } from './server.view.ts'
import type { Request } from './server-route.ts'
import { readShownServer, surroundingsOf } from './shown-server.ts'

export const updateServerBody = byVersion((version) =>
  wrapped('server', schemaAt(serverFields, 'update', version)),
)

export interface UpdateServerBody {
  server: {
    name?: string
    description?: string | null
    hostname?: string
    accessIPv4?: string
    accessIPv6?: string
    'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL'
  }
}

export async function updateServer(request: Request, deps: CellDeps & NetworkDeps, instance: Instance) {
  const { server } = (request as ApiRequest as ApiRequest<UpdateServerBody>).body
  const changes: InstanceChanges = {}
  if (server.name !== undefined) changes.display_name = server.name
  if (server.description !== undefined) changes.display_description = server.description
  if (server.hostname !== undefined) changes.hostname = server.hostname
  if (server.accessIPv4 !== undefined) changes.access_ip_v4 = server.accessIPv4
  if (server.accessIPv6 !== undefined) changes.access_ip_v6 = shortAddress(server.accessIPv6)
  const diskConfig = server['OS-DCF:diskConfig']
  if (diskConfig !== undefined) changes.auto_disk_config = diskConfig === 'AUTO' ? 1 : 0
  await changeInstance(deps, instance, changes)
  const updated = await readShownServer(request, deps, instance.uuid)
  const around = await surroundingsOf(request, deps, updated)
  return { server: afterUpdate(serverViewer(request, around).whole(updated.instance), request.microversion) }
}

/** Changes a server wherever it is: as a build request, or in its cell. */
export async function changeInstance(
  deps: CellDeps,
  instance: Instance,
  changes: InstanceChanges,
): Promise<void> {
  if (instance.cell !== null) {
    if (await updateInstance(instance.cell.db, instance.uuid, changes)) return
    throw instanceNotFound(instance.uuid)
  }
  const isDone = await inTransaction(deps.apiDb, async (transaction) => {
    const made = await lockBuildRequest(transaction, instance.uuid)
    if (made === undefined) return false
    return await updateBuildRequest(transaction, { ...made, row: { ...made.row, ...changes } })
  })
  // It reached its cell meanwhile.
  if (!isDone) await changeInstance(deps, await getInstance(deps, instance.uuid), changes)
}
