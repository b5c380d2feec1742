import type { Send } from '../../base/http/client.ts'
import type { ProjectLookup } from './deps.ts'

/** Asks Identity for projects, with the token of who wants to know. */
export function projectLookup(identity: Send): ProjectLookup {
  return {
    async projectExists(projectId, token) {
      const { status } = await identity({
        method: 'GET',
        path: `/v3/projects/${encodeURIComponent(projectId)}`,
        headers: { 'x-auth-token': token },
      })
      if (status === 404) return false
      return status < 300 ? true : undefined
    },
  }
}
