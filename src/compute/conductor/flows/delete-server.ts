/** The end of a server, in whatever state it is. Every step may find its work done. */
import { timestamp } from '../../../base/clock.ts'
import { inTransaction } from '../../../base/db/transaction.ts'
import { flow } from '../../../base/flow/flow.ts'
import { finishAction } from '../../store/actions.ts'
import { deleteBuildRequest } from '../../store/build-requests.ts'
import { softDeleteInstance } from '../../store/instance-changes.ts'
import { findInstanceMapping, setQueuedForDelete } from '../../store/instance-mappings.ts'
import { findHost } from '../../store/instances.ts'
import { deleteRequestSpec, findRequestSpec } from '../../store/request-specs.ts'
import { removeGroupMember } from '../../store/server-groups.ts'
import type { ConductorDeps } from '../deps.ts'
import { destroyGuest } from '../destroy-guest.ts'
import { detachPorts, ownPortsOf } from '../ports.ts'
import { failInstance } from '../record-instance.ts'

interface Input {
  uuid: string
  requestId: string
}

const event = 'compute_terminate_instance'
const retries = 4

export const deleteServer = flow<Input, ConductorDeps>('delete-server')
  .step({
    name: 'remove the guest',
    retries,
    run: async ({ uuid }, deps) => {
      const startedAt = timestamp()
      const cellId = (await findInstanceMapping(deps.apiDb, uuid))?.cell_id ?? null
      if (cellId === null) return { cellId, host: null, startedAt }
      const host = await findHost(deps.cells.byId(cellId).db, uuid)
      if (host !== null) await destroyGuest(deps, { uuid, cellId, host })
      return { cellId, host, startedAt }
    },
  })
  // After the guest: a port that is deleted under a running guest would be wired to nothing.
  .step({
    name: 'give back ports',
    unsaved: true,
    retries,
    // The guest is gone: there is no way back, only on.
    waits: true,
    run: async ({ uuid }, { apiDb, network }) => {
      await detachPorts(network, uuid, ownPortsOf(await findRequestSpec(apiDb, uuid)))
    },
  })
  .step({
    name: 'release resources',
    unsaved: true,
    retries,
    waits: true,
    run: async ({ uuid }, { placement }) => {
      await placement.deleteAllocations(uuid)
    },
  })
  .step({
    name: 'remove the records',
    run: async ({ uuid, requestId, cellId, host, startedAt }, { apiDb, cells }) => {
      if (cellId !== null) {
        await inTransaction(cells.byId(cellId).db, async (transaction) => {
          await softDeleteInstance(transaction, uuid)
          const at = { instanceUuid: uuid, requestId }
          await finishAction(transaction, at, { event, startTime: startedAt, host })
        })
      }
      await inTransaction(apiDb, async (transaction) => {
        await deleteRequestSpec(transaction, uuid)
        await removeGroupMember(transaction, uuid)
        if (cellId !== null) return
        await deleteBuildRequest(transaction, uuid)
        await transaction.deleteFrom('instance_mappings').where('instance_uuid', '=', uuid).execute()
      })
    },
  })
  .onFailure(async ({ uuid, requestId, cellId, host }, { apiDb, cells }, error) => {
    await setQueuedForDelete(apiDb, uuid, false)
    const failure = { uuid, requestId, event, host: host ?? null, error }
    const known = cellId ?? (await findInstanceMapping(apiDb, uuid))?.cell_id
    if (known != null) await failInstance(cells.byId(known).db, failure)
  })
