/** Which cell an instance is in. */
import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import type { ApiTables, InstanceMappingsTable } from './api-tables.ts'

export type InstanceMapping = Selectable<InstanceMappingsTable>

export async function insertInstanceMapping(
  db: Db<ApiTables>,
  mapping: { instanceUuid: string; projectId: string; userId: string; vcpus: number; memoryMb: number },
): Promise<void> {
  await insertMapping(db, {
    instance_uuid: mapping.instanceUuid,
    cell_id: null,
    project_id: mapping.projectId,
    user_id: mapping.userId,
    queued_for_delete: 0,
    vcpus: mapping.vcpus,
    memory_mb: mapping.memoryMb,
    created_at: timestamp(),
    updated_at: null,
  })
}

const insertMapping = insertStatement<ApiTables, 'instance_mappings'>('instance_mappings')
const selectMapping = statement((db: Db<ApiTables>, p: { uuid: string }) =>
  db.selectFrom('instance_mappings').selectAll().where('instance_uuid', '=', p.uuid),
)
const updateCell = statement((db: Db<ApiTables>, p: { uuid: string; cellId: number; now: string }) =>
  db
    .updateTable('instance_mappings')
    .set({ cell_id: p.cellId, updated_at: p.now })
    .where('instance_uuid', '=', p.uuid),
)

export async function findInstanceMapping(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<InstanceMapping | undefined> {
  return (await selectMapping(db, { uuid: instanceUuid })).rows[0]
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
  await updateCell(db, { uuid: instanceUuid, cellId, now: timestamp() })
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

/** What a project's servers, or those of one of its users, use of its quotas. */
export async function countUsage(
  db: Db<ApiTables>,
  projectId: string,
  userId?: string,
): Promise<{ instances: number; cores: number; ram: number }> {
  let query = db
    .selectFrom('instance_mappings')
    .select((e) => [
      e.fn.countAll<number>().as('instances'),
      e.fn.sum<number | null>('vcpus').as('cores'),
      e.fn.sum<number | null>('memory_mb').as('ram'),
    ])
    .where('project_id', '=', projectId)
    .where('queued_for_delete', '=', 0)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  const used = await query.executeTakeFirstOrThrow()
  return {
    instances: Number(used.instances),
    cores: Number(used.cores ?? 0),
    ram: Number(used.ram ?? 0),
  }
}
