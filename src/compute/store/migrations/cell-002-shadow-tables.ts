/** Where `nova-manage db archive_deleted_rows` moves what is deleted, until `db purge` removes it. */
import { addColumns, type ColumnType } from '../../../base/db/columns.ts'
import type { Migration } from '../../../base/db/migrate.ts'
import { cellInitialTables } from './cell-001-initial.ts'

export const cellShadowTables: Migration = {
  name: 'cell-002-shadow-tables',
  up: async (db) => {
    for (const [table, columns] of Object.entries(cellInitialTables)) {
      // The rows keep the numbers that they have: nothing is counted up here.
      const copied = Object.entries(columns).map(([name, type]): [string, ColumnType] => [
        name,
        type === 'number' ? 'int' : type,
      ])
      await addColumns(db.schema.createTable(`shadow_${table}`), Object.fromEntries(copied)).execute()
    }
  },
}
