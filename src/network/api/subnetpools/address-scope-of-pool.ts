/** A pool within an address scope: its prefixes are in no other pool of the scope. */
import { conflict, invalid, unknown } from '../../errors.ts'
import { overlaps, parseCidr } from '../../ipam/ip.ts'
import { sharedWith } from '../../store/rbac-policies.ts'
import type { Work } from '../../work.ts'
import type { Caller } from '../caller.ts'

/** Throws unless the caller may put the pool into the scope. */
export async function assertScope(
  work: Work,
  pool: { id: string; version: number; prefixes: readonly string[] },
  scopeId: string,
  caller: Caller,
): Promise<void> {
  let query = work.db.selectFrom('address_scopes').selectAll().where('id', '=', scopeId)
  if (!caller.admin) {
    const shared = sharedWith('address_scopes.id', caller.projectId, ['access_as_shared'])
    query = query.where((eb) => eb.or([eb('project_id', '=', caller.projectId ?? ''), shared]))
  }
  const scope = await query.executeTakeFirst()
  if (scope === undefined) throw unknown.addressScope(scopeId)
  if (scope.ip_version !== pool.version) {
    throw invalid(
      'IllegalSubnetPoolIpVersionAssociationToAddressScope',
      `Illegal subnetpool association: subnetpool ${pool.id} cannot associate with address scope ${scopeId} because subnetpool ip_version is not ${scope.ip_version}.`,
    )
  }
  await assertAloneInScope(work, pool, scopeId)
}

/** Throws when another pool of the scope has addresses of this one's prefixes. */
export async function assertAloneInScope(
  work: Work,
  pool: { id: string; prefixes: readonly string[] },
  scopeId: string,
): Promise<void> {
  const others = await work.db
    .selectFrom('subnetpoolprefixes')
    .innerJoin('subnetpools', 'subnetpools.id', 'subnetpoolprefixes.subnetpool_id')
    .select('subnetpoolprefixes.cidr')
    .where('subnetpools.address_scope_id', '=', scopeId)
    .where('subnetpools.id', '<>', pool.id)
    .execute()
  const ranges = others.map((row) => parseCidr(row.cidr)!)
  if (pool.prefixes.some((text) => ranges.some((range) => overlaps(range, parseCidr(text)!)))) {
    throw conflict(
      'AddressScopePrefixConflict',
      'Failed to associate address scope: subnetpools within an address scope must have unique prefixes.',
    )
  }
}
