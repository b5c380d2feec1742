import { showSeconds } from '../../../base/clock.ts'
import type { Association } from '../../store/metadef-namespaces.ts'
import type { MetadefItemRow, NamespaceRow } from '../../store/tables.ts'

const times = (row: { created_at: string; updated_at: string }) => ({
  created_at: showSeconds(row.created_at),
  updated_at: showSeconds(row.updated_at),
})

/** Leaves out what was never said. */
const given = (values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined))

export const namespacePath = (name: string): string => `/v2/metadefs/namespaces/${name}`

export const namespaceView = (row: NamespaceRow) => ({
  namespace: row.namespace,
  ...given({ display_name: row.display_name, description: row.description }),
  visibility: row.visibility,
  protected: row.protected === 1,
  owner: row.owner,
  ...times(row),
  self: namespacePath(row.namespace),
  schema: '/v2/schemas/metadefs/namespace',
})

export const associationView = (association: Association) => ({
  name: association.name,
  ...given({ prefix: association.prefix, properties_target: association.properties_target }),
  ...times(association),
})

const parse = (row: MetadefItemRow): Record<string, unknown> => JSON.parse(row.json_schema)

export const objectView = (row: MetadefItemRow, namespace: string) => ({
  required: [],
  properties: {},
  ...parse(row),
  name: row.name,
  ...times(row),
  self: `${namespacePath(namespace)}/objects/${row.name}`,
  schema: '/v2/schemas/metadefs/object',
})

export const propertyView = (row: MetadefItemRow) => ({ ...parse(row), name: row.name })

export const tagView = (row: MetadefItemRow) => ({ name: row.name, ...times(row) })
