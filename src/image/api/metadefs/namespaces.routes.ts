import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { ImageDb } from '../../store/images.ts'
import { type Item, insertItem, listItems } from '../../store/metadef-items.ts'
import {
  deleteNamespace,
  findNamespace,
  insertAssociation,
  insertNamespace,
  listAssociations,
  listNamespaces,
  type NamespaceQuery,
  type NamespaceValues,
  updateNamespace,
} from '../../store/metadef-namespaces.ts'
import type { ImageDeps } from '../deps.ts'
import { viewerOf } from '../images/lookup.ts'
import {
  associationView,
  namespacePath,
  namespaceView,
  objectView,
  propertyView,
  tagView,
} from './metadef.views.ts'
import { readBody } from './metadef-schemas.ts'
import { requestedNamespace } from './requested-namespace.ts'

const collection = '/v2/metadefs/namespaces'
const one = `${collection}/:namespace`

export const namespaceRoutes: readonly Route<ImageDeps>[] = [
  { get: collection, policy: 'get_metadef_namespaces', handler: list },
  { post: collection, policy: 'add_metadef_namespace', status: 201, handler: create },
  { get: one, policy: 'default', handler: show },
  { put: one, policy: 'default', handler: update },
  { delete: one, policy: 'default', handler: remove },
]

interface Body {
  namespace: string
  display_name?: string
  description?: string
  visibility?: string
  protected?: boolean
  owner?: string
  resource_type_associations?: { name: string; prefix?: string; properties_target?: string }[]
  properties?: Record<string, Record<string, unknown>>
  objects?: Item[]
  tags?: Item[]
}

const valuesOf = (body: Body, owner: string): NamespaceValues => ({
  namespace: body.namespace,
  display_name: body.display_name ?? null,
  description: body.description ?? null,
  visibility: body.visibility ?? 'private',
  protected: body.protected === true ? 1 : 0,
  owner: body.owner ?? owner,
})

async function create(request: ApiRequest<unknown>, { db }: ImageDeps) {
  const body = readBody<Body>('namespace', request.body)
  const made = await inTransaction(db, async (transaction) => {
    const row = await insertNamespace(transaction, valuesOf(body, request.context.projectId ?? ''))
    for (const { name, prefix = null, properties_target = null } of body.resource_type_associations ?? [])
      await insertAssociation(transaction, row.id, { name, prefix, properties_target })
    for (const [name, property] of Object.entries(body.properties ?? {}))
      await insertItem(transaction, 'properties', row.id, { ...property, name })
    for (const object of body.objects ?? []) await insertItem(transaction, 'objects', row.id, object)
    for (const tag of body.tags ?? []) await insertItem(transaction, 'tags', row.id, tag)
    return row
  })
  request.setHeader('location', request.origin + namespacePath(made.namespace))
  return { ...namespaceView(made), ...(await contents(db, made.id, made.namespace)) }
}

async function contents(db: ImageDb, id: number, namespace: string, resourceType?: string) {
  const associations = (await listAssociations(db, [id])).get(id) ?? []
  const prefix = associations.find(({ name }) => name === resourceType)?.prefix ?? ''
  const properties = await listItems(db, 'properties', id)
  const objects = await listItems(db, 'objects', id)
  const tags = await listItems(db, 'tags', id)
  const byName = properties.map((row) => {
    const { name, ...rest } = propertyView(row)
    return [prefix + name, rest]
  })
  const filled = <T>(key: string, values: readonly T[], shown: unknown) =>
    values.length === 0 ? {} : { [key]: shown }
  return {
    ...filled('resource_type_associations', associations, associations.map(associationView)),
    ...filled('properties', byName, Object.fromEntries(byName)),
    ...filled(
      'objects',
      objects,
      objects.map((row) => {
        const view = objectView(row, namespace)
        const prefixed = Object.entries(view.properties as object).map(([name, value]) => [
          prefix + name,
          value,
        ])
        return { ...view, properties: Object.fromEntries(prefixed) }
      }),
    ),
    ...filled('tags', tags, tags.map(tagView)),
  }
}

async function show(request: ApiRequest, { db }: ImageDeps) {
  const row = await requestedNamespace(request, db, 'get_metadef_namespace')
  const { resource_type } = request.query
  const resourceType = typeof resource_type === 'string' ? resource_type : undefined
  return { ...namespaceView(row), ...(await contents(db, row.id, row.namespace, resourceType)) }
}

async function update(request: ApiRequest<unknown>, { db }: ImageDeps) {
  const body = readBody<Body>('namespace', request.body)
  const row = await requestedNamespace(request, db, 'modify_metadef_namespace')
  await updateNamespace(db, row.id, valuesOf(body, row.owner))
  return namespaceView((await findNamespace(db, body.namespace))!)
}

async function remove(request: ApiRequest, { db }: ImageDeps): Promise<void> {
  const row = await requestedNamespace(request, db, 'delete_metadef_namespace')
  if (row.protected === 1)
    throw new Fault(
      'forbidden',
      `Metadata definition namespace ${row.namespace} is protected and cannot be deleted.`,
    )
  await inTransaction(db, (transaction) => deleteNamespace(transaction, row.id))
}

async function list(request: ApiRequest, { db, settings }: ImageDeps) {
  const query = await readQuery(request, db, settings.limitParamDefault, settings.apiLimitMax)
  const rows = query.limit === 0 ? [] : await listNamespaces(db, query)
  const ids = rows.map(({ id }) => id)
  const associations = await listAssociations(db, ids)
  const search = new URLSearchParams(request.url.split('?')[1] ?? '')
  search.delete('marker')
  const first = link(search)
  const last = rows.at(-1)
  if (last !== undefined) search.set('marker', last.namespace)
  return {
    namespaces: rows.map((row) => ({
      ...namespaceView(row),
      resource_type_associations: (associations.get(row.id) ?? []).map(associationView),
    })),
    first,
    schema: '/v2/schemas/metadefs/namespaces',
    ...(last !== undefined && rows.length === query.limit ? { next: link(search) } : {}),
  }
}

const link = (search: URLSearchParams): string =>
  search.size === 0 ? collection : `${collection}?${search.toString()}`

async function readQuery(
  request: ApiRequest,
  db: ImageDb,
  defaultLimit: number,
  maxLimit: number,
): Promise<NamespaceQuery> {
  const text = (name: string): string | undefined => [request.query[name] ?? []].flat().at(-1)
  const bad = (message: string) => new Fault('invalid', message)
  const visibility = text('visibility')
  if (visibility !== undefined && visibility !== 'public' && visibility !== 'private')
    throw bad(`Invalid visibility value: ${visibility}`)
  const sortKey = text('sort_key') ?? 'created_at'
  if (sortKey !== 'created_at' && sortKey !== 'updated_at' && sortKey !== 'namespace')
    throw bad(`Invalid sort key: ${sortKey}`)
  const direction = text('sort_dir') ?? 'desc'
  if (direction !== 'asc' && direction !== 'desc') throw bad(`Invalid sort direction: ${direction}`)
  const limit = text('limit') ?? String(defaultLimit)
  if (!/^[+-]?\d+$/.test(limit)) throw bad('limit param must be an integer')
  if (Number(limit) < 0) throw bad('limit param must be positive')
  const query: NamespaceQuery = {
    viewer: viewerOf(request),
    sortKey,
    direction,
    limit: Math.min(Number(limit), maxLimit),
  }
  if (visibility !== undefined) query.visibility = visibility
  const types = text('resource_types')
  if (types !== undefined) query.resourceTypes = types.split(',')
  const marker = text('marker')
  if (marker !== undefined) {
    const row = await findNamespace(db, marker)
    if (row === undefined)
      throw new Fault('not-found', `Metadata definition namespace=${marker} was not found.`)
    query.marker = row
  }
  return query
}
