/** Who is in a group. */
import { Fault } from '#base/errors.ts'
import { addMember, findGroup, getGroup, isMember, removeMember } from '../../store/groups.ts'
import { findUser, getUser, listUsers } from '../../store/users.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { userView } from '../users/user.ts'
import { groupTarget } from './groups.routes.ts'

async function membershipTarget(request: IdentityRequest, deps: IdentityDeps) {
  const group = await findGroup(deps.db, request.params['group_id']!)
  const user = await findUser(deps.db, request.params['user_id']!)
  return {
    target: {
      ...(group === undefined ? {} : { group: { id: group.id, domain_id: group.domain_id } }),
      ...(user === undefined ? {} : { user: { id: user.id, domain_id: user.domain_id } }),
    },
  }
}

async function both(request: IdentityRequest, deps: IdentityDeps) {
  const group = await getGroup(deps.db, request.params['group_id']!)
  const user = await getUser(deps.db, request.params['user_id']!)
  return { group, user }
}

const noMember = (userId: string, groupId: string): Fault =>
  new Fault('not-found', `User '${userId}' not found in group '${groupId}'`)

const member = '/v3/groups/:group_id/users/:user_id'

export const memberRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/groups/:group_id/users',
    rule: 'identity:list_users_in_group',
    target: groupTarget,
    async handler(request, deps) {
      const group = await getGroup(deps.db, request.params['group_id']!)
      const users = await listUsers(deps.db, { groupId: group.id })
      const views = users.map((user) => userView(request.origin, user))
      return collection(request, 'users', filtered(request, views, ['name', 'enabled', 'domain_id']))
    },
  },
  {
    put: member,
    rule: 'identity:add_user_to_group',
    target: membershipTarget,
    async handler(request, deps) {
      const { group, user } = await both(request, deps)
      await addMember(deps.db, user.id, group.id)
    },
  },
  {
    get: member,
    rule: 'identity:check_user_in_group',
    target: membershipTarget,
    async handler(request, deps) {
      const { group, user } = await both(request, deps)
      if (!(await isMember(deps.db, user.id, group.id))) throw noMember(user.id, group.id)
    },
  },
  {
    delete: member,
    rule: 'identity:remove_user_from_group',
    target: membershipTarget,
    async handler(request, deps) {
      const { group, user } = await both(request, deps)
      if (!(await removeMember(deps.db, user.id, group.id))) throw noMember(user.id, group.id)
    },
  },
]
