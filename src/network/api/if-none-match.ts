import type { Kysely } from 'kysely'
import type { ApiRequest } from '../../base/http/route.ts'
import { readRevision } from '../store/agent-changes.ts'
import type { Tables } from '../store/tables.ts'
import type { ListQuery } from './query.ts'
import type { AnyResource } from './resource.ts'

const shown = new Set(['device_id', 'security_groups'])

/**
 * For lists of which groups the ports of servers are in, and nothing else of the ports: the answer's ETag is the
 * revision of all such facts, whichever ports are asked for, groups' names and what is shared among them. True, and the
 * status is 304, when the caller has that revision. Compute asks so with every server that it shows.
 */
export async function isUnchanged(
  resource: AnyResource,
  request: ApiRequest,
  db: Kysely<Tables>,
  { fields }: ListQuery,
): Promise<boolean> {
  if (resource.name !== 'port' || fields.length === 0 || fields.some((name) => !shown.has(name))) return false
  const tag = `"changes:${await readRevision(db)}"`
  request.setHeader('etag', tag)
  if (request.headers['if-none-match'] !== tag) return false
  request.setStatus(304)
  return true
}
