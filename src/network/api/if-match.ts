import type { ApiRequest } from '../../base/http/route.ts'
import { badResource } from '../errors.ts'

/** The revision that `If-Match: revision_number=3` wants the resource to have. */
export function expectedRevision(request: ApiRequest): number | undefined {
  const header = request.headers['if-match']
  if (typeof header !== 'string') return undefined
  const revisions = header
    .split(',')
    .map((tag) => tag.trim().replaceAll('"', ''))
    .filter((tag) => tag.startsWith('revision_number='))
  if (revisions.length === 0) return undefined
  if (revisions.length > 1) throw badResource('if-match', 'Multiple revision_number etags are not supported.')
  const number = revisions[0]!.slice('revision_number='.length)
  if (!/^\d+$/.test(number))
    throw badResource('if-match', 'Revision number etag must be in the format of revision_number=<int>')
  return Number(number)
}
