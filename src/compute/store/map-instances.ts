/** Instances of a cell that the API database does not know: of a cell that was taken over, or after a lost write. */
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import type { ApiTables } from './api-tables.ts'
import type { CellTables } from './cell-tables.ts'
import { listInstanceMappings } from './instance-mappings.ts'

export interface UnmappedInstance {
  uuid: string
  project_id: string
  user_id: string
  vcpus: number
  memory_mb: number
}

/** Those among the next `count` living instances after the id `after`; `last` is undefined when there are no more. */
export async function listUnmappedInstances(
  cellDb: Db<CellTables>,
  apiDb: Db<ApiTables>,
  after: number,
  count: number,
): Promise<{ instances: UnmappedInstance[]; last: number | undefined }> {
  const rows = await cellDb
    .selectFrom('instances')
    .select(['id', 'uuid', 'project_id', 'user_id', 'vcpus', 'memory_mb'])
    .where('deleted', '=', 0)
    .where('id', '>', after)
    .orderBy('id')
    .limit(count)
    .execute()
  const known = await listInstanceMappings(
    apiDb,
    rows.map((row) => row.uuid),
  )
  const mapped = new Set(known.map((mapping) => mapping.instance_uuid))
  return { instances: rows.filter((row) => !mapped.has(row.uuid)), last: rows.at(-1)?.id }
}

export async function mapInstances(
  db: Db<ApiTables>,
  cellId: number,
  instances: readonly UnmappedInstance[],
): Promise<void> {
  if (instances.length === 0) return
  const now = timestamp()
  const rows = instances.map(({ uuid, project_id, user_id, vcpus, memory_mb }) => ({
    instance_uuid: uuid,
    cell_id: cellId,
    project_id,
    user_id,
    vcpus,
    memory_mb,
    queued_for_delete: 0,
    created_at: now,
    updated_at: null,
  }))
  await db.insertInto('instance_mappings').values(rows).execute()
}
