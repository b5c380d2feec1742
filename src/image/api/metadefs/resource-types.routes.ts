import { showSeconds } from '../../../base/clock.ts'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import {
  deleteAssociation,
  insertAssociation,
  listAssociations,
  listResourceTypes,
} from '../../store/metadef-namespaces.ts'
import type { ImageDeps } from '../deps.ts'
import { associationView } from './metadef.views.ts'
import { readBody } from './metadef-schemas.ts'
import { requestedNamespace } from './requested-namespace.ts'

const all = '/v2/metadefs/namespaces/:namespace/resource_types'

export const resourceTypeRoutes: readonly Route<ImageDeps>[] = [
  { get: '/v2/metadefs/resource_types', policy: 'list_metadef_resource_types', handler: listTypes },
  { get: all, policy: 'default', handler: list },
  { post: all, policy: 'default', status: 201, handler: associate },
  { delete: `${all}/:name`, policy: 'default', handler: dissociate },
]

async function listTypes(_request: ApiRequest, { db }: ImageDeps) {
  const types = await listResourceTypes(db)
  return {
    resource_types: types.map(({ name, created_at, updated_at }) => ({
      name,
      created_at: showSeconds(created_at),
      updated_at: showSeconds(updated_at),
    })),
  }
}

async function list(request: ApiRequest, { db }: ImageDeps) {
  const { id } = await requestedNamespace(request, db, 'get_metadef_resource_type')
  const associations = (await listAssociations(db, [id])).get(id) ?? []
  return { resource_type_associations: associations.map(associationView) }
}

async function associate(request: ApiRequest<unknown>, { db }: ImageDeps) {
  type Body = { name: string; prefix?: string; properties_target?: string }
  const { name, prefix = null, properties_target = null } = readBody<Body>('resource_type', request.body)
  const { id } = await requestedNamespace(request, db, 'add_metadef_resource_type_association')
  const made = await inTransaction(db, (transaction) =>
    insertAssociation(transaction, id, { name, prefix, properties_target }),
  )
  return associationView(made)
}

async function dissociate(request: ApiRequest, { db }: ImageDeps): Promise<void> {
  const { id, namespace } = await requestedNamespace(request, db, 'remove_metadef_resource_type_association')
  const name = request.params['name']!
  if (await deleteAssociation(db, id, name)) return
  throw new Fault('not-found', `The namespace ${namespace} is not associated with the resource type ${name}.`)
}
