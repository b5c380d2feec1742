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
  assertOwn(request, uuid, instance, rule)
  return instance
}

export function assertOwn(
  request: ApiRequest<never>,
  uuid: string,
  { project_id, user_id }: { project_id: string; user_id: string },
  rule?: string,
): void {
  if (project_id !== request.context.projectId && !request.can('context_is_admin'))
    throw instanceNotFound(uuid)
  if (rule !== undefined) request.authorize(rule, { project_id, user_id })
}
