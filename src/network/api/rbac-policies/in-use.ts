/** What is shared can't be taken from projects that use it. */
import { type RawBuilder, sql } from 'kysely'
import { conflict } from '../../errors.ts'
import type { RbacPolicyRow } from '../../store/tables.ts'
import type { Work } from '../../work.ts'

/** The projects that use an object; those of other types are used by reference only. */
const users: Readonly<Record<string, (objectId: string) => RawBuilder<{ project_id: string }>>> = {
  network: (id) => sql`
    select project_id from ports where network_id = ${id} and device_owner not like 'network:%'
    union select project_id from subnets where network_id = ${id}`,
  security_group: (id) => sql`
    select p.project_id from ports p join securitygroupportbindings b on b.port_id = p.id
    where b.security_group_id = ${id}`,
  subnetpool: (id) => sql`select project_id from subnets where subnetpool_id = ${id}`,
  address_group: (id) => sql`select project_id from securitygrouprules where remote_address_group_id = ${id}`,
  address_scope: (id) => sql`select project_id from subnetpools where address_scope_id = ${id}`,
}

/** Throws when a project would lose what it uses; `instead` is the project that gets it now. */
export async function assertNotNeeded(work: Work, policy: RbacPolicyRow, instead?: string): Promise<void> {
  const query = users[policy.object_type]
  if (policy.action !== 'access_as_shared' || query === undefined) return
  const others = await work.db
    .selectFrom('rbac_policies')
    .select('target_project')
    .where('object_id', '=', policy.object_id)
    .where('action', '=', 'access_as_shared')
    .where('id', '<>', policy.id)
    .execute()
  const allowed = new Set([...others.map((other) => other.target_project), policy.project_id, instead])
  if (allowed.has('*')) return
  const found = await query(policy.object_id).execute(work.db)
  const using = found.rows.map((row) => row.project_id)
  const losing = using.filter(
    (project) =>
      !allowed.has(project) && (policy.target_project === '*' || policy.target_project === project),
  )
  if (losing.length === 0) return
  throw conflict(
    'RbacPolicyInUse',
    `RBAC policy on object ${policy.object_id} cannot be removed because other objects depend on it.\nDetails: it is used by projects ${[...new Set(losing)].join(', ')}`,
  )
}
