/** How the API asks for work: what is wanted is written first, then a conductor is woken. */
import type { Kysely } from 'kysely'
import { inTransaction } from '../../base/db/transaction.ts'
import { Fault } from '../../base/errors.ts'
import { cancelFlows, hasFlow, openFlow } from '../../base/flow/store.ts'
import { insertAction } from '../store/actions.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { insertBuildRequest } from '../store/build-requests.ts'
import { moveInstance, updateInstance } from '../store/instance-changes.ts'
import { insertInstanceMapping, setQueuedForDelete } from '../store/instance-mappings.ts'
import type { Instance, NewInstance } from '../store/instance-records.ts'
import { insertRequestSpec, type RequestSpec } from '../store/request-specs.ts'
import type { ConductorClient } from './conductor.ts'
import { type Operation, type OperationName, operations } from './operations.ts'

export interface WorkDeps {
  apiDb: Kysely<ApiTables>
  conductor: ConductorClient
}

/** Who asks. */
export interface Requester {
  requestId: string
  userId: string
  projectId: string
}

/** Under which the flows of a server are kept and put in order. */
export const serverSubject = (uuid: string): string => `server:${uuid}`

/** Has servers built. `alsoWrite` is done in the same transaction: members of a server group, for instance. */
export async function requestBuilds(
  { apiDb, conductor }: WorkDeps,
  builds: readonly { instance: NewInstance; spec: RequestSpec }[],
  requester: Requester,
  alsoWrite?: (transaction: Kysely<ApiTables>) => Promise<void>,
): Promise<void> {
  await inTransaction(apiDb, async (transaction) => {
    for (const { instance, spec } of builds) {
      const { uuid, project_id: projectId, user_id: userId, vcpus, memory_mb: memoryMb } = instance.row
      await insertInstanceMapping(transaction, { instanceUuid: uuid, projectId, userId, vcpus, memoryMb })
      await insertRequestSpec(transaction, spec)
      await insertBuildRequest(transaction, instance)
      const input = { uuid, requestId: requester.requestId }
      const { requestId } = requester
      await openFlow(transaction, { kind: 'create-server', subject: serverSubject(uuid), input, requestId })
    }
    await alsoWrite?.(transaction)
  })
  for (const { instance } of builds) await conductor.wake({ subject: serverSubject(instance.row.uuid) })
}

/** Has a server deleted, in whatever state it is; what is being done to it stops. Asking again does no harm. */
export async function requestDelete(
  { apiDb, conductor }: WorkDeps,
  instance: Instance,
  requester: Requester,
): Promise<void> {
  const { uuid, cell } = instance
  const subject = serverSubject(uuid)
  const { requestId } = requester
  if (cell !== null) {
    const begun = await moveInstance(
      cell.db,
      uuid,
      instance.task_state === 'deleting' ? { taskStates: ['deleting'] } : {},
      { task_state: 'deleting', progress: 0 },
    )
    if (!begun) return
    if (instance.task_state !== 'deleting') {
      await insertAction(cell.db, { action: 'delete', instanceUuid: uuid, ...requester })
    }
  }
  await inTransaction(apiDb, async (transaction) => {
    // First, for it locks the row: of two who delete at once one finds the other's flow.
    await setQueuedForDelete(transaction, uuid, true)
    if (await hasFlow(transaction, subject, 'delete-server')) return
    await cancelFlows(
      transaction,
      subject,
      ['create-server', 'operate-server'],
      'The server is being deleted.',
    )
    await openFlow(transaction, { kind: 'delete-server', subject, input: { uuid, requestId }, requestId })
  })
  await conductor.cancelled({ subject })
  await conductor.wake({ subject })
}

/** Has something done to a server; `conflict` when it is in no state for that. */
export async function requestOperation(
  { apiDb, conductor }: WorkDeps,
  instance: Instance,
  name: OperationName,
  requester: Requester,
): Promise<void> {
  const operation: Operation = operations[name]
  const { uuid, cell } = instance
  assertState(instance, operation)
  if (cell === null) throw wrongState(instance, operation.action, 'vm_state')
  const { vmStates, taskStates } = operation
  const changes = { task_state: operation.taskState }
  const moved = await moveInstance(cell.db, uuid, { vmStates, taskStates }, changes)
  if (!moved) {
    throw new Fault('conflict', `Cannot '${operation.action}' instance ${uuid}: its state has just changed.`)
  }
  const subject = serverSubject(uuid)
  const { requestId } = requester
  try {
    await insertAction(cell.db, { action: operation.action, instanceUuid: uuid, ...requester })
    const input = { uuid, operation: name, requestId }
    await openFlow(apiDb, { kind: 'operate-server', subject, input, requestId })
  } catch (error) {
    await updateInstance(cell.db, uuid, { task_state: instance.task_state })
    throw error
  }
  await conductor.wake({ subject })
}

/** Throws `conflict` unless the instance is in a state for the operation, in nova's words. */
export function assertState(instance: Instance, operation: Operation): void {
  if (!operation.vmStates.includes(instance.vm_state)) {
    throw wrongState(instance, operation.action, 'vm_state')
  }
  if (!operation.taskStates.includes(instance.task_state)) {
    throw wrongState(instance, operation.action, 'task_state')
  }
}

function wrongState(instance: Instance, action: string, column: 'vm_state' | 'task_state'): Fault {
  const message = `Cannot '${action}' instance ${instance.uuid} while it is in ${column} ${instance[column]}`
  return new Fault('conflict', message, { id: instance.uuid, [column]: instance[column] })
}
