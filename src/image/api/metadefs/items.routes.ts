/** Objects and properties of a namespace. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { ImageDb } from '../../store/images.ts'
import {
  deleteItems,
  type Item,
  type ItemKind,
  insertItem,
  listItems,
  updateItem,
} from '../../store/metadef-items.ts'
import type { MetadefItemRow } from '../../store/tables.ts'
import type { ImageDeps } from '../deps.ts'
import type { ImageRule } from '../images/lookup.ts'
import { objectView, propertyView } from './metadef.views.ts'
import { readBody } from './metadef-schemas.ts'
import { requestedNamespace } from './requested-namespace.ts'

interface Kind {
  table: Extract<ItemKind, 'objects' | 'properties'>
  schema: 'object' | 'property'
  rules: Readonly<Record<'list' | 'show' | 'add' | 'modify' | 'delete', ImageRule>>
  view: (row: MetadefItemRow, namespace: string) => { name: string }
  list: (views: { name: string }[]) => unknown
}

const kinds: readonly Kind[] = [
  {
    table: 'objects',
    schema: 'object',
    rules: {
      list: 'get_metadef_objects',
      show: 'get_metadef_object',
      add: 'add_metadef_object',
      modify: 'modify_metadef_object',
      delete: 'delete_metadef_object',
    },
    view: objectView,
    list: (objects) => ({ objects, schema: 'v2/schemas/metadefs/objects' }),
  },
  {
    table: 'properties',
    schema: 'property',
    rules: {
      list: 'get_metadef_properties',
      show: 'get_metadef_property',
      add: 'add_metadef_property',
      modify: 'modify_metadef_property',
      delete: 'remove_metadef_property',
    },
    view: propertyView,
    list: (views) => ({ properties: Object.fromEntries(views.map(({ name, ...rest }) => [name, rest])) }),
  },
]

export const metadefItemRoutes: readonly Route<ImageDeps>[] = kinds.flatMap(routesOf)

function routesOf(kind: Kind): Route<ImageDeps>[] {
  const { table, rules } = kind
  const all = `/v2/metadefs/namespaces/:namespace/${table}`
  const one = `${all}/:name`
  const policy = 'default'
  return [
    {
      get: all,
      policy,
      async handler(request: ApiRequest, { db }) {
        const { id, namespace } = await requestedNamespace(request, db, rules.list)
        return kind.list((await listItems(db, table, id)).map((row) => kind.view(row, namespace)))
      },
    },
    {
      post: all,
      policy,
      status: 201,
      async handler(request: ApiRequest<unknown>, { db }) {
        const item = readBody<Item>(kind.schema, request.body)
        const { id, namespace } = await requestedNamespace(request, db, rules.add)
        return kind.view(await insertItem(db, table, id, item), namespace)
      },
    },
    {
      delete: all,
      policy,
      async handler(request: ApiRequest, { db }) {
        await deleteItems(db, table, (await requestedNamespace(request, db, rules.delete)).id)
      },
    },
    {
      get: one,
      policy,
      async handler(request: ApiRequest, { db }) {
        const { id, namespace } = await requestedNamespace(request, db, rules.show)
        return kind.view(await getItem(request, db, table, id), namespace)
      },
    },
    {
      put: one,
      policy,
      async handler(request: ApiRequest<unknown>, { db }) {
        const item = readBody<Item>(kind.schema, request.body)
        const { id, namespace } = await requestedNamespace(request, db, rules.modify)
        return kind.view(await updateItem(db, table, await getItem(request, db, table, id), item), namespace)
      },
    },
    {
      delete: one,
      policy,
      async handler(request: ApiRequest, { db }) {
        const { id } = await requestedNamespace(request, db, rules.delete)
        await deleteItems(db, table, id, (await getItem(request, db, table, id)).name)
      },
    },
  ]
}

/** The item of the request's `:name`; else it is not found. */
export async function getItem(
  request: ApiRequest<never> | ApiRequest,
  db: ImageDb,
  table: ItemKind,
  namespaceId: number,
): Promise<MetadefItemRow> {
  const name = request.params['name']!
  const [row] = await listItems(db, table, namespaceId, name)
  if (row !== undefined) return row
  throw new Fault(
    'not-found',
    `The metadata definition with name=${name} was not found among the ${table}.`,
    {
      name,
    },
  )
}
