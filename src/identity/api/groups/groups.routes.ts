import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { extraOf, mergedExtra } from '../../store/extra.ts'
import {
  findGroup,
  type GroupRow,
  getGroup,
  insertGroup,
  listGroups,
  removeGroups,
  updateGroup,
} from '../../store/groups.ts'
import { getDomain } from '../../store/projects.ts'
import { collection, filtered, queried } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { ownDomainId } from '../own-domain.ts'
import { type GroupBody, groupAttributes, groupCreation, groupUpdate, groupView } from './group.ts'

/** The group of the path, as the target of policies. */
export async function groupTarget(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findGroup(deps.db, request.params['group_id']!)
  return row === undefined ? {} : { target: { group: { id: row.id, domain_id: row.domain_id } } }
}

export const groupRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/groups',
    rule: 'identity:list_groups',
    target: (request) => ({ target: { group: { domain_id: request.context.domainId ?? undefined } } }),
    async handler(request, deps) {
      const domainId = request.context.domainId ?? queried(request, 'domain_id')
      const rows = await listGroups(deps.db, domainId === undefined ? {} : { domainId })
      const views = rows.map((row) => groupView(request.origin, row))
      return collection(request, 'groups', filtered(request, views, ['name', 'domain_id']))
    },
  },
  {
    get: '/v3/groups/:group_id',
    rule: 'identity:get_group',
    target: groupTarget,
    async handler(request, deps) {
      return { group: groupView(request.origin, await getGroup(deps.db, request.params['group_id']!)) }
    },
  },
  {
    post: '/v3/groups',
    rule: 'identity:create_group',
    body: { key: 'group', schema: groupCreation },
    status: 201,
    async handler(request: IdentityRequest<{ group: GroupBody }>, deps) {
      const body = request.body.group
      const domainId = body.domain_id ?? ownDomainId(request)
      await getDomain(deps.db, domainId)
      const row: GroupRow = {
        id: newHexId(),
        name: body.name!.trim(),
        domain_id: domainId,
        description: body.description ?? '',
        extra: extraOf(body, groupAttributes),
      }
      await insertGroup(deps.db, row)
      return { group: groupView(request.origin, row) }
    },
  },
  {
    patch: '/v3/groups/:group_id',
    rule: 'identity:update_group',
    target: groupTarget,
    body: { key: 'group', schema: groupUpdate },
    async handler(request: IdentityRequest<{ group: GroupBody }>, deps) {
      const row = await getGroup(deps.db, request.params['group_id']!)
      const body = request.body.group
      if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change group ID')
      if (body.domain_id !== undefined && body.domain_id !== row.domain_id) {
        throw new Fault('invalid', 'Cannot change Domain ID')
      }
      await updateGroup(deps.db, row, {
        ...(body.name === undefined ? {} : { name: body.name.trim() }),
        ...(body.description === undefined ? {} : { description: body.description }),
        extra: mergedExtra(row.extra, body, groupAttributes),
      })
      return { group: groupView(request.origin, await getGroup(deps.db, row.id)) }
    },
  },
  {
    delete: '/v3/groups/:group_id',
    rule: 'identity:delete_group',
    target: groupTarget,
    async handler(request, deps) {
      const { id } = await getGroup(deps.db, request.params['group_id']!)
      await inTransaction(deps.db, (transaction) => removeGroups(transaction, [id]))
    },
  },
]
