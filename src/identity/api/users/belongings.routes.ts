/** The groups and projects of a user. */
import { listGroups } from '../../store/groups.ts'
import { getUser } from '../../store/users.ts'
import { collection, filtered } from '../collection.ts'
import { groupView } from '../groups/group.ts'
import type { IdentityRoute } from '../identity-route.ts'
import { projectViews } from '../projects/projects.routes.ts'
import { projectsOfUser } from './reachable.ts'
import { userTarget } from './users.routes.ts'

export const belongingRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/users/:user_id/groups',
    rule: 'identity:list_groups_for_user',
    target: userTarget,
    async handler(request, deps) {
      const user = await getUser(deps.db, request.params['user_id']!)
      const groups = await listGroups(deps.db, { userId: user.id })
      const { domainId } = request.context
      const visible = groups.filter((group) => domainId === null || group.domain_id === domainId)
      const views = visible.map((group) => groupView(request.origin, group))
      return collection(request, 'groups', filtered(request, views, ['name']))
    },
  },
  {
    get: '/v3/users/:user_id/projects',
    rule: 'identity:list_user_projects',
    target: userTarget,
    async handler(request, deps) {
      const user = await getUser(deps.db, request.params['user_id']!)
      const views = await projectViews(request, deps, await projectsOfUser(deps.db, user.id))
      return collection(request, 'projects', filtered(request, views, ['name', 'enabled', 'domain_id']))
    },
  },
]
