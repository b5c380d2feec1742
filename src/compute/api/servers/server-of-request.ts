import type { ApiRequest } from '../../../base/http/route.ts'
import type { Instance } from '../../store/instance-records.ts'
import { getInstance, instanceNotFound } from '../../store/instances.ts'
import type { CellDeps } from '../deps.ts'

/**
 * The server that the path names. Others' servers are not there for who is no administrator; `rule` is then asked with
 * the server's own project and user, as overrides of policies may want.
 */
export async function serverOf(request: ApiRequest<never>, deps: CellDeps, rule?: string): Promise<Instance> {
  const uuid = request.params['id']!
  const instance = await getInstance(deps, uuid)
  if (instance.project_id !== request.context.projectId && !request.can('context_is_admin'))
    throw instanceNotFound(uuid)
  if (rule !== undefined)
    request.authorize(rule, { project_id: instance.project_id, user_id: instance.user_id })
  return instance
}
