/** Limits that were set: for a project, for a user within one, or for the class `default`. */
import { sql } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import type { ApiTables } from './api-tables.ts'

/** Whose limits: a project's, those of a user in it, or those of a class. */
export type QuotaOwner = { projectId: string; userId?: string } | { className: string }

/** The limits of a class, by the name of the resource. */
export async function listClassQuotas(db: Db<ApiTables>, className: string): Promise<Map<string, number>> {
  const { rows } = await selectOfClass(db, { className })
  return new Map(rows.map((row) => [row.resource, row.hard_limit]))
}

const columns = ['resource', 'hard_limit'] as const
const selectOfClass = statement((db: Db<ApiTables>, p: { className: string }) =>
  db.selectFrom('quota_classes').select(columns).where('class_name', '=', p.className),
)
const selectAll = statement((db: Db<ApiTables>, p: { projectId: string; userId: string }) =>
  db
    .selectFrom('quota_classes')
    .select([...columns, sql<keyof SetLimits>`'ofClass'`.as('kind')])
    .where('class_name', '=', 'default')
    .unionAll(
      db
        .selectFrom('quotas')
        .select([...columns, sql<keyof SetLimits>`'ofProject'`.as('kind')])
        .where('project_id', '=', p.projectId),
    )
    .unionAll(
      db
        .selectFrom('project_user_quotas')
        .select([...columns, sql<keyof SetLimits>`'ofUser'`.as('kind')])
        .where('project_id', '=', p.projectId)
        .where('user_id', '=', p.userId),
    ),
)

/** By the name of the resource. */
export interface SetLimits {
  /** Of the class `default`. */
  ofClass: Map<string, number>
  ofProject: Map<string, number>
  ofUser: Map<string, number>
}

/** All the limits that were set for a user in a project, by whom they were set for. */
export async function listSetLimits(
  db: Db<ApiTables>,
  projectId: string,
  userId: string,
): Promise<SetLimits> {
  const set: SetLimits = { ofClass: new Map(), ofProject: new Map(), ofUser: new Map() }
  for (const row of (await selectAll(db, { projectId, userId })).rows)
    set[row.kind].set(row.resource, row.hard_limit)
  return set
}

/** The limits of projects as wholes: of all, or of one; those of a project's users are apart. */
export function listProjectQuotas(
  db: Db<ApiTables>,
  projectId?: string,
): Promise<{ project_id: string; resource: string; hard_limit: number }[]> {
  let query = db.selectFrom('quotas').select(['project_id', ...columns])
  if (projectId !== undefined) query = query.where('project_id', '=', projectId)
  return query.orderBy('project_id').orderBy('resource').execute()
}

/** Sets limits, replacing those there are. */
export async function setQuotas(
  db: Db<ApiTables>,
  owner: QuotaOwner,
  limits: ReadonlyMap<string, number>,
): Promise<void> {
  const resources = [...limits.keys()]
  if (resources.length === 0) return
  const now = timestamp()
  const rows = resources.map((resource) => ({
    resource,
    hard_limit: limits.get(resource)!,
    created_at: now,
    updated_at: now,
  }))
  await deleteQuotas(db, owner, resources)
  if ('className' in owner) {
    const { className } = owner
    await db
      .insertInto('quota_classes')
      .values(rows.map((row) => ({ ...row, class_name: className })))
      .execute()
    return
  }
  const { projectId, userId } = owner
  if (userId === undefined) {
    await db
      .insertInto('quotas')
      .values(rows.map((row) => ({ ...row, project_id: projectId })))
      .execute()
    return
  }
  await db
    .insertInto('project_user_quotas')
    .values(rows.map((row) => ({ ...row, project_id: projectId, user_id: userId })))
    .execute()
}

/** Back to the defaults: all resources, or these. A project's users lose theirs when the whole project does. */
export async function deleteQuotas(
  db: Db<ApiTables>,
  owner: QuotaOwner,
  resources?: readonly string[],
): Promise<void> {
  if ('className' in owner) {
    let query = db.deleteFrom('quota_classes').where('class_name', '=', owner.className)
    if (resources !== undefined) query = query.where('resource', 'in', resources)
    await query.execute()
    return
  }
  const { projectId, userId } = owner
  if (userId === undefined) {
    let query = db.deleteFrom('quotas').where('project_id', '=', projectId)
    if (resources !== undefined) query = query.where('resource', 'in', resources)
    await query.execute()
    if (resources !== undefined) return
  }
  let query = db.deleteFrom('project_user_quotas').where('project_id', '=', projectId)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  if (resources !== undefined) query = query.where('resource', 'in', resources)
  await query.execute()
}
