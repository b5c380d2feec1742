/** Which projects see what belongs to others. */
import { sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { newUuid } from '../../base/ids.ts'
import { byIds } from './by-ids.ts'
import type { RbacPolicyRow, Tables } from './tables.ts'

/** All policies about these objects. */
export const rbacPoliciesOf = byIds((db, objectIds) =>
  db.selectFrom('rbac_policies').selectAll().where('object_id', 'in', objectIds),
)

export async function deleteRbacPoliciesOf(db: Db<Tables>, objectId: string): Promise<void> {
  await db.deleteFrom('rbac_policies').where('object_id', '=', objectId).execute()
}

/** Shares an object with a project, or with all (`*`). */
export async function addRbacPolicy(
  db: Db<Tables>,
  policy: Omit<RbacPolicyRow, 'id'> & { id?: string },
): Promise<string> {
  const row = { ...policy, id: policy.id ?? newUuid() }
  await db.insertInto('rbac_policies').values(row).execute()
  return row.id
}

/** Makes an object shared with everybody, or no longer. */
export async function setSharedWithAll(
  db: Db<Tables>,
  object: { type: string; id: string; projectId: string },
  action: string,
  shared: boolean,
): Promise<void> {
  const there = db
    .selectFrom('rbac_policies')
    .select('id')
    .where('object_id', '=', object.id)
    .where('action', '=', action)
    .where('target_project', '=', '*')
  const found = await there.executeTakeFirst()
  if (shared && found === undefined) {
    await addRbacPolicy(db, {
      project_id: object.projectId,
      object_type: object.type,
      object_id: object.id,
      action,
      target_project: '*',
    })
  } else if (!shared && found !== undefined) {
    await db.deleteFrom('rbac_policies').where('id', '=', found.id).execute()
  }
}

/** True for `column` of an object that is shared with a project by one of these actions. */
export const sharedWith = (column: string, projectId: string | null, actions: readonly string[]) =>
  sql<boolean>`${sql.ref(column)} in (select object_id from rbac_policies where action in (${sql.join(actions)}) and target_project in (${sql.join(projectId === null ? ['*'] : [projectId, '*'])}))`

/** Whether each object is shared with the caller, as the attribute `shared` shows it. */
export async function sharedObjects(
  db: Db<Tables>,
  objectIds: readonly string[],
  projectId: string | null,
): Promise<Set<string>> {
  const policies = await rbacPoliciesOf(db, objectIds)
  return new Set(
    policies
      .filter((policy) => policy.action === 'access_as_shared')
      .filter((policy) => policy.target_project === '*' || policy.target_project === projectId)
      .map((policy) => policy.object_id),
  )
}
