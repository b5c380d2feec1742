import type { Route } from '../../../base/http/route.ts'
import type { ImageDeps } from '../deps.ts'
import { type SchemaName, schemas } from './metadef-schemas.ts'

const string = { type: 'string' }

/** `/v2/schemas/metadefs/objects` and its like: the collection as its list answers. */
const lists: Readonly<Record<string, { of: SchemaName; key: string }>> = {
  namespaces: { of: 'namespace', key: 'namespaces' },
  objects: { of: 'object', key: 'objects' },
  properties: { of: 'property', key: 'properties' },
  tags: { of: 'tag', key: 'tags' },
  resource_types: { of: 'resource_type', key: 'resource_type_associations' },
}

function listSchema({ of, key }: { of: SchemaName; key: string }) {
  const { definitions, ...items } = schemas[of]
  const collection =
    key === 'properties' ? { type: 'object', additionalProperties: items } : { type: 'array', items }
  return {
    name: key,
    properties: { [key]: collection, first: string, next: string, schema: string },
    definitions,
    links: [
      { rel: 'first', href: '{first}' },
      { rel: 'next', href: '{next}' },
      { rel: 'describedby', href: '{schema}' },
    ],
  }
}

export const metadefSchemaRoutes: readonly Route<ImageDeps>[] = [
  ...Object.entries(schemas).map(
    ([name, schema]): Route<ImageDeps> => ({
      get: `/v2/schemas/metadefs/${name}`,
      policy: 'default',
      handler: () => schema,
    }),
  ),
  ...Object.entries(lists).map(
    ([name, list]): Route<ImageDeps> => ({
      get: `/v2/schemas/metadefs/${name}`,
      policy: 'default',
      handler: () => listSchema(list),
    }),
  ),
]
