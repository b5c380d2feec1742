import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { ApiDbDeps } from '../deps.ts'
import { queryValue } from '../paging.ts'
import { limitsOf, type Usage, usageOf } from '../quotas/limits.ts'
import type { QuotaResource } from '../quotas/resources.ts'
import { AnyText, byVersion, queryOf } from '../schema-types.ts'

/** How each limit is called here, and the last microversion that shows it. */
const absolute: readonly (readonly [shown: string, of: QuotaResource, until?: number])[] = [
  ['maxTotalRAMSize', 'ram'],
  ['maxTotalInstances', 'instances'],
  ['maxTotalCores', 'cores'],
  ['maxTotalKeypairs', 'key_pairs'],
  ['maxTotalFloatingIps', 'floating_ips', 2035],
  ['maxServerMeta', 'metadata_items'],
  ['maxImageMeta', 'metadata_items', 2038],
  ['maxPersonality', 'injected_files', 2056],
  ['maxPersonalitySize', 'injected_file_content_bytes', 2056],
  ['maxSecurityGroups', 'security_groups', 2035],
  ['maxSecurityGroupRules', 'security_group_rules', 2035],
  ['maxServerGroups', 'server_groups'],
  ['maxServerGroupMembers', 'server_group_members'],
]
const used: typeof absolute = [
  ['totalRAMUsed', 'ram'],
  ['totalCoresUsed', 'cores'],
  ['totalInstancesUsed', 'instances'],
  ['totalFloatingIpsUsed', 'floating_ips', 2035],
  ['totalSecurityGroupsUsed', 'security_groups', 2035],
  ['totalServerGroupsUsed', 'server_groups'],
]

const query = byVersion((version) =>
  queryOf({ tenant_id: AnyText, reserved: AnyText }, { strict: version >= 2075 }),
)

export const limitRoutes: readonly Route<ApiDbDeps>[] = [
  { get: '/limits', policy: 'os_compute_api:limits', query, handler: showLimits },
]

async function showLimits(request: ApiRequest<never>, deps: ApiDbDeps) {
  const other = queryValue(request, 'tenant_id')
  if (other !== undefined) request.authorize('os_compute_api:limits:other_project')
  const projectId = other ?? request.context.projectId ?? ''
  const limits = await limitsOf(deps.apiDb, deps.config, projectId)
  const usage: Usage = await usageOf(deps.apiDb, projectId)
  const shown: Record<string, number> = {}
  const alive = (until: number | undefined) => until === undefined || request.microversion <= until
  for (const [name, of, until] of absolute) if (alive(until)) shown[name] = limits[of]
  for (const [name, of, until] of used) if (alive(until)) shown[name] = usage[of] ?? 0
  return { limits: { rate: [], absolute: shown } }
}
