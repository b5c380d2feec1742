import { addColumns, type ColumnType } from '../../../base/db/columns.ts'
import type { Migration } from '../../../base/db/migrate.ts'

const times = { created_at: 'time', updated_at: 'time' } as const
const items: Record<string, ColumnType> = {
  id: 'number',
  namespace_id: 'int',
  name: 'name',
  json_schema: 'text',
  ...times,
}

const tables: Record<string, Record<string, ColumnType>> = {
  metadef_namespaces: {
    id: 'number',
    namespace: 'name',
    display_name: 'name?',
    description: 'text?',
    visibility: 'name',
    protected: 'flag',
    owner: 'name',
    ...times,
  },
  metadef_objects: items,
  metadef_properties: items,
  metadef_tags: items,
  metadef_resource_types: { id: 'number', name: 'name', ...times },
  metadef_namespace_resource_types: {
    namespace_id: 'int',
    resource_type_id: 'int',
    properties_target: 'name?',
    prefix: 'name?',
    ...times,
  },
}

const unique: Readonly<Record<string, string[]>> = {
  metadef_namespaces: ['namespace'],
  metadef_objects: ['namespace_id', 'name'],
  metadef_properties: ['namespace_id', 'name'],
  metadef_tags: ['namespace_id', 'name'],
  metadef_resource_types: ['name'],
  metadef_namespace_resource_types: ['namespace_id', 'resource_type_id'],
}

/** What horizon and others ask the definitions of. */
const resourceTypes = [
  'OS::Glance::Image',
  'OS::Nova::Flavor',
  'OS::Nova::Server',
  'OS::Nova::Aggregate',
  'OS::Cinder::Volume',
]

export const metadefs: Migration = {
  name: '002-metadefs',
  async up(db) {
    for (const [name, columns] of Object.entries(tables)) {
      await addColumns(db.schema.createTable(name), columns).execute()
      await db.schema.createIndex(`uniq_${name}`).unique().on(name).columns(unique[name]!).execute()
    }
    const now = new Date().toISOString()
    await db
      .insertInto('metadef_resource_types')
      .values(resourceTypes.map((name) => ({ name, created_at: now, updated_at: now })))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  },
}
