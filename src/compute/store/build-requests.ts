/** Servers that were asked for and that no cell knows yet. */
import { timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import type { ApiTables } from './api-tables.ts'
import type { NewInstance } from './instance-records.ts'
import { type RequestSpec, specNotFound } from './request-specs.ts'

export async function insertBuildRequest(db: Db<ApiTables>, instance: NewInstance): Promise<void> {
  await insertRequest(db, {
    instance_uuid: instance.row.uuid,
    project_id: instance.row.project_id,
    instance: JSON.stringify(instance),
    created_at: instance.row.created_at,
    updated_at: null,
  })
}

const insertRequest = insertStatement<ApiTables, 'build_requests'>('build_requests')
const selectRequest = statement((db: Db<ApiTables>, p: { uuid: string }) =>
  db.selectFrom('build_requests').select('instance').where('instance_uuid', '=', p.uuid),
)
const deleteRequest = statement((db: Db<ApiTables>, p: { uuid: string }) =>
  db.deleteFrom('build_requests').where('instance_uuid', '=', p.uuid),
)

const deleteUnchanged = statement((db: Db<ApiTables>, p: { uuid: string; instance: string }) =>
  db.deleteFrom('build_requests').where('instance_uuid', '=', p.uuid).where('instance', '=', p.instance),
)

const selectAll = statement((db: Db<ApiTables>) => db.selectFrom('build_requests').select('instance'))
const selectOf = statement((db: Db<ApiTables>, p: { projectId: string }) =>
  db.selectFrom('build_requests').select('instance').where('project_id', '=', p.projectId),
)

export async function findBuildRequest(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<NewInstance | undefined> {
  const [row] = (await selectRequest(db, { uuid: instanceUuid })).rows
  return row === undefined ? undefined : (JSON.parse(row.instance) as NewInstance)
}

const readRequests = byIdsIn<ApiTables>()((db, uuids) =>
  db.selectFrom('build_requests').select(['instance_uuid', 'instance']).where('instance_uuid', 'in', uuids),
)

/** Those of these that are there, by instance. */
export async function findBuildRequests(
  db: Db<ApiTables>,
  instanceUuids: readonly string[],
): Promise<Map<string, NewInstance>> {
  const rows = await readRequests(db, instanceUuids)
  return new Map(rows.map((row) => [row.instance_uuid, JSON.parse(row.instance) as NewInstance]))
}

const selectOrder = statement((db: Db<ApiTables>, p: { uuid: string }) =>
  db
    .selectFrom('request_specs as s')
    .leftJoin('build_requests as b', 'b.instance_uuid', 's.instance_uuid')
    .select(['s.spec', 'b.instance'])
    .where('s.instance_uuid', '=', p.uuid),
)

/** What was asked for when a server was created, and its build request as long as no cell has it. */
export async function getOrder(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<{ spec: RequestSpec; made: NewInstance | undefined }> {
  const [row] = (await selectOrder(db, { uuid: instanceUuid })).rows
  if (row === undefined) throw specNotFound(instanceUuid)
  return {
    spec: JSON.parse(row.spec) as RequestSpec,
    made: row.instance === null ? undefined : (JSON.parse(row.instance) as NewInstance),
  }
}

/** All of a project, or of every project. */
export async function listBuildRequests(db: Db<ApiTables>, projectId?: string): Promise<NewInstance[]> {
  const { rows } = projectId === undefined ? await selectAll(db, {}) : await selectOf(db, { projectId })
  return rows.map((row) => JSON.parse(row.instance) as NewInstance)
}

/** Replaces what the server will be; false when its cell has it by now. */
export async function updateBuildRequest(db: Db<ApiTables>, instance: NewInstance): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('build_requests')
    .set({ instance: JSON.stringify(instance), updated_at: timestamp() })
    .where('instance_uuid', '=', instance.row.uuid)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** As `findBuildRequest`, for a change of it in this transaction. */
export async function lockBuildRequest(
  db: Db<ApiTables>,
  instanceUuid: string,
): Promise<NewInstance | undefined> {
  const row = await db
    .selectFrom('build_requests')
    .select('instance')
    .where('instance_uuid', '=', instanceUuid)
    .forUpdate()
    .executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.instance) as NewInstance)
}

/** Removes it if it still is as it was read; false when it is gone, or was changed. */
export async function takeBuildRequest(db: Db<ApiTables>, seen: NewInstance): Promise<boolean> {
  const p = { uuid: seen.row.uuid, instance: JSON.stringify(seen) }
  return (await deleteUnchanged(db, p)).changed > 0
}

/** False when it was gone: somebody else took it. */
export async function deleteBuildRequest(db: Db<ApiTables>, instanceUuid: string): Promise<boolean> {
  return (await deleteRequest(db, { uuid: instanceUuid })).changed > 0
}
