/** What a token's holder could scope another token to, and the catalog. */
import { Fault } from '#base/errors.ts'
import { grantedRoleIds } from '../../store/assignments.ts'
import { groupIdsOf } from '../../store/groups.ts'
import { loadCatalog } from '../../store/service-catalog.ts'
import { collection, filtered } from '../collection.ts'
import { domainViews } from '../domains/domains.routes.ts'
import type { IdentityDeps, IdentityRoute } from '../identity-route.ts'
import { projectViews } from '../projects/projects.routes.ts'
import { domainsOfUser, projectsOfUser } from '../users/reachable.ts'

async function hasSystemRole(deps: IdentityDeps, userId: string): Promise<boolean> {
  const actors = [
    { kind: 'user' as const, id: userId },
    ...(await groupIdsOf(deps.db, userId)).map((id) => ({ kind: 'group' as const, id })),
  ]
  for (const actor of actors) {
    if ((await grantedRoleIds(deps.db, actor, { kind: 'system' }, false)).length > 0) return true
  }
  return false
}

const scopeRoutes: readonly IdentityRoute[] = ['/v3/auth', '/v3/OS-FEDERATION'].flatMap((prefix) => [
  {
    get: `${prefix}/projects`,
    rule: 'identity:get_auth_projects',
    async handler(request, deps) {
      const rows = await projectsOfUser(deps.db, request.context.userId)
      const views = await projectViews(
        request,
        deps,
        rows.filter((row) => row.enabled === 1),
      )
      return collection(request, 'projects', filtered(request, views, ['name', 'domain_id']))
    },
  } satisfies IdentityRoute,
  {
    get: `${prefix}/domains`,
    rule: 'identity:get_auth_domains',
    async handler(request, deps) {
      const rows = await domainsOfUser(deps.db, request.context.userId)
      const views = await domainViews(
        request,
        deps,
        rows.filter((row) => row.enabled === 1),
      )
      return collection(request, 'domains', filtered(request, views, ['name']))
    },
  } satisfies IdentityRoute,
])

export const authScopeRoutes: readonly IdentityRoute[] = [
  ...scopeRoutes,
  {
    get: '/v3/auth/system',
    rule: 'identity:get_auth_system',
    async handler(request, deps) {
      const system = (await hasSystemRole(deps, request.context.userId)) ? [{ all: true }] : []
      return { system, links: { self: request.origin + request.url } }
    },
  },
  {
    get: '/v3/auth/catalog',
    rule: 'identity:get_auth_catalog',
    async handler(request, deps) {
      const { userId, projectId } = request.context
      if (projectId === null) {
        throw new Fault('forbidden', 'A project-scoped token is required to produce a service catalog.')
      }
      const catalog = await loadCatalog(deps.db, { userId, projectId })
      return { catalog, links: { self: request.origin + request.url } }
    },
  },
]
