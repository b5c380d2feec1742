import type { Migration } from '../../../base/db/migrate.ts'

/** What quotas count is read from the index alone, and the servers that are gone are not looked at. */
export const apiUsageIndex: Migration = {
  name: 'api-003-usage-index',
  up: async (db) => {
    await db.schema
      .createIndex('instance_mappings_usage_idx')
      .on('instance_mappings')
      .columns(['project_id', 'queued_for_delete', 'user_id', 'vcpus', 'memory_mb'])
      .execute()
  },
}
