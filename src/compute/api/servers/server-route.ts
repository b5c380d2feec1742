/** Routes on one server: it is looked up, and what the caller may do with it is settled, before the handler. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { Requester } from '../../rpc/request-work.ts'
import type { CellDb } from '../../store/cell-dbs.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { CellDeps } from '../deps.ts'
import { serverOf } from './server-of-request.ts'

export type Request = ApiRequest<never>

export type ServerRoute<Deps> = Omit<Route<Deps>, 'policy' | 'handler'> & {
  policy: string
  /** Refused while the server is locked, unless an administrator asks. */
  respectsLock?: true
  handler(request: Request, deps: Deps, instance: Instance): unknown
}

/** Completes a route whose path starts with `/servers/:id`. */
export function onServer<Deps extends CellDeps>(route: ServerRoute<Deps>): Route<Deps> {
  const { handler, respectsLock, ...rest } = route
  return {
    ...rest,
    handler: async (request, deps) => {
      const instance = await serverOf(request, deps, route.policy)
      if (respectsLock === true) assertUnlocked(request, instance)
      return await handler(request, deps, instance)
    },
  }
}

/** Throws `conflict` for a locked server; administrators pass. */
export function assertUnlocked(request: Request, instance: Instance): void {
  if (instance.locked === 0 || request.can('context_is_admin')) return
  throw new Fault('conflict', `Instance ${instance.uuid} is locked`, { id: instance.uuid })
}

/** Throws `conflict` unless the server is in one of these states, without a task where `idle`. */
export function assertState(
  instance: Instance,
  doing: string,
  vmStates: readonly string[],
  options: { idle: boolean },
): CellDb {
  const refuse = (column: 'vm_state' | 'task_state') =>
    new Fault(
      'conflict',
      `Cannot '${doing}' instance ${instance.uuid} while it is in ${column} ${instance[column]}`,
      { id: instance.uuid },
    )
  if (instance.cell === null || !vmStates.includes(instance.vm_state)) throw refuse('vm_state')
  if (options.idle && instance.task_state !== null) throw refuse('task_state')
  return instance.cell
}

/** States in which a server can be described anew. */
export const settledStates = ['active', 'paused', 'suspended', 'stopped']

/** Throws `conflict` while the server is on no host. */
export function hostOf(instance: Instance): { host: string; cell: CellDb } {
  const { host, cell } = instance
  if (host !== null && cell !== null) return { host, cell }
  throw new Fault('conflict', `Instance ${instance.uuid} is not ready`, { id: instance.uuid })
}

export const requesterOf = (request: Request): Requester => ({
  requestId: request.requestId,
  userId: request.context.userId,
  projectId: request.context.projectId ?? '',
})
