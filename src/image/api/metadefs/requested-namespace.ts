import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { ImageDb } from '../../store/images.ts'
import { findNamespace } from '../../store/metadef-namespaces.ts'
import type { NamespaceRow } from '../../store/tables.ts'
import { type ImageRule, viewerOf } from '../images/lookup.ts'

/** The request's `:namespace`, where the rule allows it; one that the caller may not see is not found. */
export async function requestedNamespace(
  request: ApiRequest<never> | ApiRequest,
  db: ImageDb,
  rule: ImageRule,
): Promise<NamespaceRow> {
  const name = request.params['namespace']!
  const row = await findNamespace(db, name)
  const { projectId, isAdmin } = viewerOf(request)
  const target = { project_id: row?.owner ?? '', visibility: row?.visibility ?? '' }
  const isSeen = row !== undefined && (isAdmin || row.visibility === 'public' || row.owner === projectId)
  if (!isSeen || !request.can('get_metadef_namespace', target))
    throw new Fault('not-found', `Metadata definition namespace=${name} was not found.`, { name })
  if (!request.can(rule, target))
    throw new Fault('forbidden', `You are not authorized to complete ${rule} action.`, { rule })
  return row
}
