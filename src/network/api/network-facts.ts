/** Whose network a subnet or port is on: what their policies ask. */
import type { Db } from '../../base/db/database.ts'
import { unknown } from '../errors.ts'
import { byIds } from '../store/by-ids.ts'
import { rbacPoliciesOf } from '../store/rbac-policies.ts'
import type { Tables } from '../store/tables.ts'
import type { Values } from './attributes.ts'
import type { Caller } from './caller.ts'

const readOwners = byIds((db, ids) =>
  db.selectFrom('networks').select(['id', 'project_id']).where('id', 'in', ids),
)

/** Facts for each resource; a network that the caller can't see is not there. */
export async function networkFacts(
  db: Db<Tables>,
  resources: readonly Values[],
  caller: Caller,
): Promise<Values[]> {
  const ids = [...new Set(resources.map((resource) => resource['network_id'] as string))]
  const rows = await readOwners(db, ids)
  const owners = new Map(rows.map((row) => [row.id, row.project_id]))
  const foreign = ids.filter((id) => owners.get(id) !== caller.projectId)
  const shared = new Set<string>()
  const visible = new Set<string>()
  for (const policy of foreign.length === 0 ? [] : await rbacPoliciesOf(db, foreign)) {
    if (policy.target_project !== '*' && policy.target_project !== caller.projectId) continue
    visible.add(policy.object_id)
    if (policy.action === 'access_as_shared') shared.add(policy.object_id)
  }
  return resources.map((resource) => {
    const id = resource['network_id'] as string
    const owner = owners.get(id)
    const own = resource['id'] !== undefined && resource['project_id'] === caller.projectId
    if (owner === undefined || (!caller.admin && owner !== caller.projectId && !visible.has(id) && !own))
      throw unknown.network(id)
    return { 'network:tenant_id': owner, 'network:project_id': owner, shared: shared.has(id) }
  })
}
