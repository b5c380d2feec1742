/** Which cell an instance is in. */
import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import { gathered } from '../../base/gathered.ts'
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
const updateCell = statement((db: Db<ApiTables>, p: { uuid: string; cellId: number; now: string }) =>
  db
    .updateTable('instance_mappings')
    .set({ cell_id: p.cellId, updated_at: p.now })
    .where('instance_uuid', '=', p.uuid),
)

const updateQueued = statement((db: Db<ApiTables>, p: { uuid: string; queued: number; now: string }) =>
  db
    .updateTable('instance_mappings')
    .set({ queued_for_delete: p.queued, updated_at: p.now })
    .where('instance_uuid', '=', p.uuid),
)

export async function findInstanceMapping(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<InstanceMapping | undefined> {
  return (await findInstanceMappings(db, [instanceUuid])).get(instanceUuid)
}

/** Those of these mappings that are there, by instance. */
export async function findInstanceMappings(
  db: Db<ApiTables>,
  instanceUuids: readonly string[],
): Promise<Map<string, InstanceMapping>> {
  const found = await readTogether(db, instanceUuids)
  return new Map(
    instanceUuids.flatMap((uuid) => {
      const mapping = found.get(uuid)
      return mapping === undefined ? [] : [[uuid, mapping]]
    }),
  )
}

/** The mappings of those of these instances that are there. */
export async function listInstanceMappings(
  db: Db<ApiTables>,
  instanceUuids: readonly string[],
): Promise<InstanceMapping[]> {
  return await readMappings(db, instanceUuids)
}

const readMappings = byIdsIn<ApiTables>()((db, uuids) =>
  db.selectFrom('instance_mappings').selectAll().where('instance_uuid', 'in', uuids),
)
const readTogether = gathered(async (db: Db<ApiTables>, uuids: readonly string[]) => {
  const rows = await readMappings(db, uuids)
  for (const { instance_uuid, cell_id } of rows) if (cell_id !== null) keepCell(db, instance_uuid, cell_id)
  return new Map(rows.map((row) => [row.instance_uuid, row]))
})

/** Cells of so many instances are kept in mind. */
const mostKnown = 20_000

const knownCells = new WeakMap<Db<ApiTables>, Map<string, number>>()

/**
 * The cell that an instance is in, or was in before it was deleted: once it is in one it goes to no other. Undefined
 * where nobody has asked yet.
 */
export const knownCellOf = (db: Db<ApiTables>, instanceUuid: string): number | undefined =>
  knownCells.get(db)?.get(instanceUuid)

function keepCell(db: Db<ApiTables>, instanceUuid: string, cellId: number): void {
  if (db.isTransaction) return
  let known = knownCells.get(db)
  if (known === undefined) {
    known = new Map()
    knownCells.set(db, known)
  }
  known.set(instanceUuid, cellId)
  if (known.size > mostKnown) known.delete(known.keys().next().value!)
}

/** The living instances that cells have, as far as is known without asking the cells; the oldest first. */
export function listMappingsOfCells(
  db: Db<ApiTables>,
  cellIds: readonly number[],
  { limit, ...of }: { projectId?: string; userId?: string; limit: number },
): Promise<InstanceMapping[]> {
  let query = db
    .selectFrom('instance_mappings')
    .selectAll()
    .where('cell_id', 'in', [...cellIds])
    .where('queued_for_delete', '=', 0)
  if (of.projectId !== undefined) query = query.where('project_id', '=', of.projectId)
  if (of.userId !== undefined) query = query.where('user_id', '=', of.userId)
  return query.orderBy('id').limit(limit).execute()
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
  await updateQueued(db, { uuid: instanceUuid, queued: queued ? 1 : 0, now: timestamp() })
}

const sumOf = (db: Db<ApiTables>, projectId: string) =>
  db
    .selectFrom('instance_mappings')
    .select((e) => [
      e.fn.countAll<number>().as('instances'),
      e.fn.sum<number | null>('vcpus').as('cores'),
      e.fn.sum<number | null>('memory_mb').as('ram'),
    ])
    .where('project_id', '=', projectId)
    .where('queued_for_delete', '=', 0)
const sumOfProject = statement((db: Db<ApiTables>, p: { projectId: string }) => sumOf(db, p.projectId))
const sumOfUser = statement((db: Db<ApiTables>, p: { projectId: string; userId: string }) =>
  sumOf(db, p.projectId).where('user_id', '=', p.userId),
)

/** What a project's servers, or those of one of its users, use of its quotas. */
export async function countUsage(
  db: Db<ApiTables>,
  projectId: string,
  userId?: string,
): Promise<{ instances: number; cores: number; ram: number }> {
  const { rows } =
    userId === undefined ? await sumOfProject(db, { projectId }) : await sumOfUser(db, { projectId, userId })
  const used = rows[0]!
  return {
    instances: Number(used.instances),
    cores: Number(used.cores ?? 0),
    ram: Number(used.ram ?? 0),
  }
}
