import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { extraOf, mergedExtra, mergedOptions } from '../../store/extra.ts'
import { getDomain } from '../../store/projects.ts'
import {
  findRole,
  getRole,
  insertRole,
  listRoles,
  type RoleRow,
  removeRole,
  updateRole,
} from '../../store/roles.ts'
import { globalRole } from '../../store/tables.ts'
import { collection, filtered, queried } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { assertMutable } from '../immutable.ts'
import { type RoleBody, roleAttributes, roleCreation, roleUpdate, roleView } from './role.ts'

// A role of one domain has rules of its own.
const ruleFor = (verb: string) => async (request: IdentityRequest, deps: IdentityDeps) => {
  const role = await findRole(deps.db, request.params['role_id']!)
  return role === undefined || role.domain_id === globalRole
    ? `identity:${verb}_role`
    : `identity:${verb}_domain_role`
}

export const roleRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/roles',
    rule: (request) => ('domain_id' in request.query ? 'identity:list_domain_roles' : 'identity:list_roles'),
    async handler(request, deps) {
      const rows = await listRoles(deps.db, { domainId: queried(request, 'domain_id') ?? globalRole })
      const views = rows.map((row) => roleView(request.origin, row))
      return collection(request, 'roles', filtered(request, views, ['name']))
    },
  },
  {
    get: '/v3/roles/:role_id',
    rule: ruleFor('get'),
    async handler(request, deps) {
      return { role: roleView(request.origin, await getRole(deps.db, request.params['role_id']!)) }
    },
  },
  {
    post: '/v3/roles',
    rule: (request: IdentityRequest<{ role?: RoleBody } | undefined>) =>
      (request.body?.role?.domain_id ?? null) === null
        ? 'identity:create_role'
        : 'identity:create_domain_role',
    body: { key: 'role', schema: roleCreation },
    status: 201,
    handler: create,
  },
  {
    patch: '/v3/roles/:role_id',
    rule: ruleFor('update'),
    body: { key: 'role', schema: roleUpdate },
    handler: change,
  },
  {
    delete: '/v3/roles/:role_id',
    rule: ruleFor('delete'),
    async handler(request, deps) {
      const row = await getRole(deps.db, request.params['role_id']!)
      assertMutable('role', row)
      await removeRole(deps.db, row.id)
    },
  },
]

async function create(request: IdentityRequest<{ role: RoleBody }>, deps: IdentityDeps) {
  const body = request.body.role
  const domainId = body.domain_id ?? globalRole
  if (domainId !== globalRole) await getDomain(deps.db, domainId)
  const row: RoleRow = {
    id: newHexId(),
    name: body.name!.trim(),
    domain_id: domainId,
    description: body.description ?? null,
    extra: extraOf(body, roleAttributes),
    options: mergedOptions('{}', body.options),
  }
  await insertRole(deps.db, row)
  return { role: roleView(request.origin, row) }
}

async function change(request: IdentityRequest<{ role: RoleBody }>, deps: IdentityDeps) {
  const row = await getRole(deps.db, request.params['role_id']!)
  const body = request.body.role
  assertMutable('role', row, body)
  if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change role ID')
  if (body.domain_id !== undefined && (body.domain_id ?? globalRole) !== row.domain_id) {
    throw new Fault('invalid', 'Update of `domain_id` is not allowed.')
  }
  await updateRole(deps.db, row, {
    ...(body.name === undefined ? {} : { name: body.name.trim() }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.options === undefined ? {} : { options: mergedOptions(row.options, body.options) }),
    extra: mergedExtra(row.extra, body, roleAttributes),
  })
  return { role: roleView(request.origin, await getRole(deps.db, row.id)) }
}
