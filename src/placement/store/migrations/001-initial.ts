import { addColumns, type ColumnType } from '../../../base/db/columns.ts'
import type { Migration } from '../../../base/db/migrate.ts'

const stamps = { created_at: 'time', updated_at: 'time?' } as const

const tables: Record<string, Record<string, ColumnType>> = {
  inventories: {
    id: 'number',
    resource_provider_id: 'int',
    resource_class_id: 'int',
    total: 'int',
    reserved: 'int',
    min_unit: 'int',
    max_unit: 'int',
    step_size: 'int',
    allocation_ratio: 'real',
    ...stamps,
  },
  allocations: {
    id: 'number',
    resource_provider_id: 'int',
    resource_class_id: 'int',
    consumer_id: 'uuid',
    used: 'int',
    ...stamps,
  },
  consumers: {
    id: 'number',
    uuid: 'uuid',
    project_id: 'int',
    user_id: 'int',
    generation: 'int',
    consumer_type_id: 'int?',
    ...stamps,
  },
  consumer_types: { id: 'number', name: 'name', ...stamps },
  projects: { id: 'number', external_id: 'name', ...stamps },
  users: { id: 'number', external_id: 'name', ...stamps },
  traits: { id: 'number', name: 'name', ...stamps },
  placement_aggregates: { id: 'number', uuid: 'uuid', ...stamps },
  provider_changes: { id: 'int', version: 'big', deletions: 'big', names: 'big' },
}

// [table, columns, unique]
const indexes: readonly [string, readonly string[], boolean][] = [
  ['resource_providers', ['uuid'], true],
  ['resource_providers', ['name'], true],
  ['resource_providers', ['root_provider_id'], false],
  ['resource_providers', ['parent_provider_id'], false],
  ['resource_providers', ['revision'], false],
  ['inventories', ['resource_provider_id', 'resource_class_id'], true],
  ['inventories', ['resource_class_id'], false],
  ['allocations', ['resource_provider_id', 'resource_class_id', 'used'], false],
  ['allocations', ['consumer_id'], false],
  ['consumers', ['uuid'], true],
  ['consumers', ['project_id', 'user_id', 'uuid'], false],
  ['consumer_types', ['name'], true],
  ['projects', ['external_id'], true],
  ['users', ['external_id'], true],
  ['resource_classes', ['name'], true],
  ['traits', ['name'], true],
  ['resource_provider_traits', ['trait_id'], false],
  ['resource_provider_aggregates', ['aggregate_id'], false],
  ['placement_aggregates', ['uuid'], true],
]

export const initial: Migration = {
  name: '001-initial',
  async up(db) {
    const providers = addColumns(db.schema.createTable('resource_providers'), {
      id: 'number',
      uuid: 'uuid',
      name: 'name',
      generation: 'int',
      root_provider_id: 'int?',
      parent_provider_id: 'int?',
      revision: 'big',
      ...stamps,
    })
    // Keeps a parent from being deleted while another process puts a child under it.
    await providers
      .addForeignKeyConstraint('resource_providers_parent', ['parent_provider_id'], 'resource_providers', [
        'id',
      ])
      .execute()
    for (const [name, columns] of Object.entries(tables)) {
      await addColumns(db.schema.createTable(name), columns).execute()
    }
    // The ids of standard classes are given, and start at 0.
    await addColumns(
      db.schema.createTable('resource_classes').addColumn('id', 'integer', (column) => column.primaryKey()),
      { name: 'name', ...stamps },
    ).execute()
    await addColumns(db.schema.createTable('resource_provider_traits'), {
      resource_provider_id: 'int',
      trait_id: 'int',
    })
      .addPrimaryKeyConstraint('resource_provider_traits_key', ['resource_provider_id', 'trait_id'])
      .execute()
    await addColumns(db.schema.createTable('resource_provider_aggregates'), {
      resource_provider_id: 'int',
      aggregate_id: 'int',
    })
      .addPrimaryKeyConstraint('resource_provider_aggregates_key', ['resource_provider_id', 'aggregate_id'])
      .execute()
    for (const [table, columns, unique] of indexes) {
      const index = db.schema
        .createIndex(`${table}_${columns.join('_')}_idx`.slice(0, 60))
        .on(table)
        .columns([...columns])
      await (unique ? index.unique() : index).execute()
    }
    await db
      .insertInto('provider_changes')
      .values({ id: 1, version: 1, deletions: 0, names: 1 })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  },
}
