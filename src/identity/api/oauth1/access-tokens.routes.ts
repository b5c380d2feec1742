/** The access tokens that a user gave to consumers. */
import { Fault } from '#base/errors.ts'
import {
  type AccessTokenRow,
  getAccessToken,
  listAccessTokens,
  removeAccessToken,
} from '../../store/oauth1.ts'
import { listRoles } from '../../store/roles.ts'
import { collection } from '../collection.ts'
import { forbidDelegated } from '../delegation.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { roleView } from '../roles/role.ts'

const all = '/v3/users/:user_id/OS-OAUTH1/access_tokens'
const one = `${all}/:access_token_id`

const noDelegates = (request: IdentityRequest): void =>
  forbidDelegated(request, 'Cannot manage OAuth access tokens with a token issued via delegation')

function accessTokenView(origin: string, row: AccessTokenRow): Record<string, unknown> {
  const self = `${origin}/v3/users/${row.authorizing_user_id}/OS-OAUTH1/access_tokens/${row.id}`
  return {
    id: row.id,
    consumer_id: row.consumer_id,
    project_id: row.project_id,
    authorizing_user_id: row.authorizing_user_id,
    expires_at: row.expires_at,
    links: { self, roles: `${self}/roles` },
  }
}

async function ofPath(request: IdentityRequest, deps: IdentityDeps): Promise<AccessTokenRow> {
  const row = await getAccessToken(deps.db, request.params['access_token_id']!)
  if (row.authorizing_user_id === request.params['user_id']) return row
  throw new Fault('not-found', 'Access token not found', { id: row.id })
}

async function roleViews(request: IdentityRequest, deps: IdentityDeps) {
  const row = await ofPath(request, deps)
  const roles = await listRoles(deps.db, { ids: JSON.parse(row.role_ids) as string[] })
  return roles.map((role) => {
    const { description: _, ...view } = roleView(request.origin, role)
    return view
  })
}

export const accessTokenRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: 'identity:list_access_tokens',
    async handler(request, deps) {
      noDelegates(request)
      const rows = await listAccessTokens(deps.db, request.params['user_id']!)
      return collection(
        request,
        'access_tokens',
        rows.map((row) => accessTokenView(request.origin, row)),
      )
    },
  },
  {
    get: one,
    rule: 'identity:get_access_token',
    async handler(request, deps) {
      noDelegates(request)
      return { access_token: accessTokenView(request.origin, await ofPath(request, deps)) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_access_token',
    async handler(request, deps) {
      noDelegates(request)
      await removeAccessToken(deps.db, (await ofPath(request, deps)).id)
    },
  },
  {
    get: `${one}/roles`,
    rule: 'identity:list_access_token_roles',
    async handler(request, deps) {
      return collection(request, 'roles', await roleViews(request, deps))
    },
  },
  {
    get: `${one}/roles/:role_id`,
    rule: 'identity:get_access_token_role',
    async handler(request, deps) {
      const id = request.params['role_id']!
      const role = (await roleViews(request, deps)).find((view) => view['id'] === id)
      if (role === undefined) throw new Fault('not-found', `Could not find role: ${id}.`)
      return { role }
    },
  },
]
