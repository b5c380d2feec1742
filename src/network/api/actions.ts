/** Actions on one resource: `PUT /v2.0/subnetpools/{id}/add_prefixes`. */
import type { ApiRequest, Route } from '../../base/http/route.ts'
import { inWork, type Work } from '../work.ts'
import { authorizeChange } from './access.ts'
import { type Caller, callerOf } from './caller.ts'
import { present } from './present.ts'
import type { AnyResource, ApiDeps } from './resource.ts'
import { targets } from './resource-routes.ts'
import { getVisible, rowsById } from './rows.ts'

export interface ResourceAction {
  name: string
  /** Gives what its reply needs besides the resource. */
  // biome-ignore lint/suspicious/noExplicitAny: an action knows the row of its own resource.
  run(work: Work, row: any, body: unknown, caller: Caller): Promise<unknown>
  /** Of the resource as it is afterwards. */
  reply(view: Record<string, unknown>, done: unknown): unknown
}

/** The route of an action; who may update the resource may do it. */
export function actionRoute(resource: AnyResource, action: ResourceAction): Route<ApiDeps> {
  return {
    put: `/v2.0/${resource.path}/:id/${action.name}`,
    policy: 'network_api',
    handler: (request, deps) => perform(resource, action, request, deps),
  }
}

async function perform(
  resource: AnyResource,
  action: ResourceAction,
  request: ApiRequest,
  deps: ApiDeps,
): Promise<unknown> {
  const caller = callerOf(request)
  const id = request.params['id']!
  const done = await inWork(deps, async (work) => {
    const row = await getVisible(work.db, resource, id, caller)
    const [target] = await targets(resource, work, [row], caller)
    authorizeChange(request, resource, 'update', target!)
    return await action.run(work, row, request.body, caller)
  })
  const rows = await rowsById(deps.db, resource, [id])
  const [view] = await present(resource, request, deps.db, rows, caller, deps, [], true)
  if (view === undefined) throw resource.unknown(id)
  return action.reply(view, done)
}
