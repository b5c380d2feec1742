/** Whose network a subnet or port is on: what their policies ask. */
import type { Db } from '../../base/db/database.ts'
import { unknown } from '../errors.ts'
import { byIds } from '../store/by-ids.ts'
import type { Tables } from '../store/tables.ts'
import type { Values } from './attributes.ts'
import type { Caller } from './caller.ts'

// A network once for each policy about it, or once.
const readOwners = byIds((db, ids) =>
  db
    .selectFrom('networks')
    .leftJoin('rbac_policies', 'rbac_policies.object_id', 'networks.id')
    .select(['networks.id', 'networks.project_id', 'rbac_policies.action', 'rbac_policies.target_project'])
    .where('networks.id', 'in', ids),
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
  const shared = new Set<string>()
  const visible = new Set<string>()
  for (const { id, project_id: owner, action, target_project: target } of rows) {
    if (owner === caller.projectId || target === null) continue
    if (target !== '*' && target !== caller.projectId) continue
    visible.add(id)
    if (action === 'access_as_shared') shared.add(id)
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
