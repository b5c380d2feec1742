import type { Migration } from '../../../base/db/migrate.ts'

/** What tells a reader that an instance, or the parts of it in other tables, are as he has them already. */
export const cellRevisions: Migration = {
  name: 'cell-003-revisions',
  up: async (db) => {
    for (const table of ['instances', 'shadow_instances']) {
      for (const column of ['revision', 'parts_revision']) {
        await db.schema
          .alterTable(table)
          .addColumn(column, 'integer', (built) => built.notNull().defaultTo(0))
          .execute()
      }
    }
  },
}
