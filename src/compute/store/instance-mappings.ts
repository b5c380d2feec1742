/** Which cell an instance is in. */
import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import type { ApiTables, InstanceMappingsTable } from './api-tables.ts'

export type InstanceMapping = Selectable<InstanceMappingsTable>

export async function insertInstanceMapping(
  db: Db<ApiTables>,
  mapping: { instanceUuid: string; projectId: string; userId: string },
): Promise<void> {
  await db
    .insertInto('instance_mappings')
    .values({
      instance_uuid: mapping.instanceUuid,
      cell_id: null,
      project_id: mapping.projectId,
      user_id: mapping.userId,
      queued_for_delete: 0,
      created_at: timestamp(),
      updated_at: null,
    })
    .execute()
}

export async function findInstanceMapping(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<InstanceMapping | undefined> {
  return await db
    .selectFrom('instance_mappings')
    .selectAll()
    .where('instance_uuid', '=', instanceUuid)
    .executeTakeFirst()
}

/** The mappings of those of these instances that are there. */
export async function listInstanceMappings(
  db: Db<ApiTables>,
  instanceUuids: readonly string[],
): Promise<InstanceMapping[]> {
  if (instanceUuids.length === 0) return []
  return await db
    .selectFrom('instance_mappings')
    .selectAll()
    .where('instance_uuid', 'in', instanceUuids)
    .execute()
}

export async function setInstanceCell(
  db: Db<ApiTables>,
  instanceUuid: string,
  cellId: number,
): Promise<void> {
  await db
    .updateTable('instance_mappings')
    .set({ cell_id: cellId, updated_at: timestamp() })
    .where('instance_uuid', '=', instanceUuid)
    .execute()
}

/** Marked when a delete is asked for, so that quotas no longer count it. */
export async function setQueuedForDelete(
  db: Db<ApiTables>,
  instanceUuid: string,
  queued: boolean,
): Promise<void> {
  await db
    .updateTable('instance_mappings')
    .set({ queued_for_delete: queued ? 1 : 0, updated_at: timestamp() })
    .where('instance_uuid', '=', instanceUuid)
    .execute()
}
