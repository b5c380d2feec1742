import type { ApiRequest } from '../../base/http/route.ts'

/** Who asks, as stores filter by. */
export interface Caller {
  /** Null for a token that is not scoped to a project. */
  projectId: string | null
  /** Sees everything. */
  admin: boolean
}

export function callerOf(request: ApiRequest): Caller {
  return {
    projectId: request.context.projectId,
    admin: request.can('context_is_admin') || request.can('context_is_advsvc'),
  }
}

/** For what the server does on its own. */
export const system: Caller = { projectId: null, admin: true }
