import { addColumns, type ColumnType } from '../../../base/db/columns.ts'
import type { Migration } from '../../../base/db/migrate.ts'

const times = { created_at: 'time', updated_at: 'time' } as const

const tables: Record<string, Record<string, ColumnType>> = {
  image_properties: { id: 'number', image_id: 'uuid', name: 'name', value: 'text' },
  image_tags: { id: 'number', image_id: 'uuid', value: 'name' },
  image_members: { id: 'number', image_id: 'uuid', member: 'name', status: 'name', ...times },
}

const images: Record<string, ColumnType> = {
  name: 'name?',
  size: 'big?',
  virtual_size: 'big?',
  status: 'name',
  visibility: 'name',
  checksum: 'name?',
  os_hash_algo: 'name?',
  os_hash_value: 'name?',
  owner: 'name?',
  disk_format: 'name?',
  container_format: 'name?',
  min_disk: 'int',
  min_ram: 'int',
  protected: 'flag',
  os_hidden: 'flag',
  ...times,
  deleted_at: 'time?',
  deleted: 'flag',
}

const tasks: Record<string, ColumnType> = {
  type: 'name',
  status: 'name',
  owner: 'name',
  image_id: 'uuid',
  request_id: 'name',
  user_id: 'name',
  expires_at: 'time?',
  ...times,
}

export const initial: Migration = {
  name: '001-initial',
  async up(db) {
    const withId = (name: string, id: string) =>
      db.schema.createTable(name).addColumn(id, 'varchar(36)', (column) => column.primaryKey())
    await addColumns(withId('images', 'id'), images).execute()
    await addColumns(withId('tasks', 'id'), tasks).execute()
    await addColumns(withId('task_info', 'task_id'), {
      input: 'text',
      result: 'text?',
      message: 'text',
    }).execute()
    for (const [name, columns] of Object.entries(tables)) {
      await addColumns(db.schema.createTable(name), columns).execute()
    }
    const unique = (table: string, columns: string[]) =>
      db.schema.createIndex(`uniq_${table}`).unique().on(table).columns(columns).execute()
    await unique('image_properties', ['image_id', 'name'])
    await unique('image_tags', ['image_id', 'value'])
    await unique('image_members', ['image_id', 'member'])
    await db.schema
      .createIndex('created_at_image_idx')
      .on('images')
      .columns(['deleted', 'created_at'])
      .execute()
    await db.schema.createIndex('owner_image_idx').on('images').column('owner').execute()
    await db.schema.createIndex('ix_tasks_image_id').on('tasks').column('image_id').execute()
  },
}
