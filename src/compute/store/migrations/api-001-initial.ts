import { addColumns, type ColumnType } from '../../../base/db/columns.ts'
import type { Migration } from '../../../base/db/migrate.ts'

const times = { created_at: 'time', updated_at: 'time?' } as const

const tables: Record<string, Record<string, ColumnType>> = {
  cell_mappings: {
    id: 'number',
    uuid: 'uuid',
    name: 'name',
    transport_url: 'text',
    database_connection: 'text',
    disabled: 'flag',
    ...times,
  },
  host_mappings: { id: 'number', cell_id: 'int', host: 'name', ...times },
  instance_mappings: {
    id: 'number',
    instance_uuid: 'uuid',
    cell_id: 'int?',
    project_id: 'name',
    user_id: 'name',
    queued_for_delete: 'flag',
    vcpus: 'int',
    memory_mb: 'int',
    ...times,
  },
  request_specs: { id: 'number', instance_uuid: 'uuid', spec: 'text', ...times },
  build_requests: { id: 'number', instance_uuid: 'uuid', project_id: 'name', instance: 'text', ...times },
  flavors: {
    id: 'number',
    flavorid: 'name',
    name: 'name',
    memory_mb: 'int',
    vcpus: 'int',
    root_gb: 'int',
    ephemeral_gb: 'int',
    swap: 'int',
    rxtx_factor: 'real',
    disabled: 'flag',
    is_public: 'flag',
    description: 'text?',
    ...times,
  },
  flavor_extra_specs: { id: 'number', flavor_id: 'int', key: 'name', value: 'name?' },
  flavor_projects: { id: 'number', flavor_id: 'int', project_id: 'name' },
  key_pairs: {
    id: 'number',
    user_id: 'name',
    name: 'name',
    fingerprint: 'name',
    public_key: 'text',
    type: 'name',
    ...times,
  },
  quotas: { id: 'number', project_id: 'name', resource: 'name', hard_limit: 'int', ...times },
  project_user_quotas: {
    id: 'number',
    user_id: 'name',
    project_id: 'name',
    resource: 'name',
    hard_limit: 'int',
    ...times,
  },
  quota_classes: { id: 'number', class_name: 'name', resource: 'name', hard_limit: 'int', ...times },
  aggregates: { id: 'number', uuid: 'uuid', name: 'name', ...times },
  aggregate_hosts: { id: 'number', host: 'name', aggregate_id: 'int' },
  aggregate_metadata: { id: 'number', aggregate_id: 'int', key: 'name', value: 'name' },
  instance_groups: {
    id: 'number',
    user_id: 'name',
    project_id: 'name',
    uuid: 'uuid',
    name: 'name',
    ...times,
  },
  instance_group_policy: { id: 'number', group_id: 'int', policy: 'name', rules: 'text' },
  instance_group_member: { id: 'number', group_id: 'int', instance_uuid: 'uuid' },
}

const indexes: readonly (readonly [table: string, unique: boolean, ...columns: string[]])[] = [
  ['cell_mappings', true, 'uuid'],
  ['host_mappings', true, 'host'],
  ['instance_mappings', true, 'instance_uuid'],
  ['instance_mappings', false, 'project_id'],
  ['request_specs', true, 'instance_uuid'],
  ['build_requests', true, 'instance_uuid'],
  ['build_requests', false, 'project_id'],
  ['flavors', true, 'flavorid'],
  ['flavors', true, 'name'],
  ['flavor_extra_specs', true, 'flavor_id', 'key'],
  ['flavor_projects', true, 'flavor_id', 'project_id'],
  ['key_pairs', true, 'user_id', 'name'],
  ['quotas', true, 'project_id', 'resource'],
  ['project_user_quotas', true, 'user_id', 'project_id', 'resource'],
  ['quota_classes', true, 'class_name', 'resource'],
  ['aggregates', true, 'name'],
  ['aggregate_hosts', true, 'host', 'aggregate_id'],
  ['aggregate_metadata', true, 'aggregate_id', 'key'],
  ['instance_groups', true, 'uuid'],
  ['instance_group_policy', true, 'group_id'],
  ['instance_group_member', false, 'instance_uuid'],
]

export const apiInitial: Migration = {
  name: 'api-001-initial',
  up: async (db) => {
    for (const [table, columns] of Object.entries(tables)) {
      await addColumns(db.schema.createTable(table), columns).execute()
    }
    for (const [table, unique, ...columns] of indexes) {
      const index = db.schema
        .createIndex(`${table}_${columns.join('_')}_idx`)
        .on(table)
        .columns(columns)
      await (unique ? index.unique() : index).execute()
    }
  },
}
