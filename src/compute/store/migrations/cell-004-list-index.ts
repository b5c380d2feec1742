import type { Migration } from '../../../base/db/migrate.ts'

/** The names of a project's servers, newest first, are read from the index alone. */
export const cellListIndex: Migration = {
  name: 'cell-004-list-index',
  up: async (db) => {
    await db.schema
      .createIndex('instances_list_idx')
      .on('instances')
      .columns(['project_id', 'deleted', 'created_at desc', 'uuid', 'display_name'])
      .execute()
  },
}
