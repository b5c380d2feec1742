import { Type } from 'typebox'
import { timestamp } from '#base/clock.ts'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { effectiveProjectRoles } from '../../store/assignments.ts'
import { extraOf } from '../../store/extra.ts'
import { getProject } from '../../store/projects.ts'
import { listRoles } from '../../store/roles.ts'
import { getTrust, insertTrust, listTrusts, removeTrust, type TrustRow } from '../../store/trusts.ts'
import { getUser } from '../../store/users.ts'
import { RoleReferences, roleIdsOf } from '../application-credentials/application-credentials.routes.ts'
import { collection, queried } from '../collection.ts'
import { forbiddenAction, isByCredential } from '../delegation.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { parseExpiry } from '../moments.ts'
import { roleView } from '../roles/role.ts'
import { creation, Flag, Id, Nullable, Text } from '../schemas.ts'
import { redelegated } from './redelegation.ts'

const UserId = Type.String({ minLength: 1, maxLength: 64 })
const properties = {
  trustor_user_id: UserId,
  trustee_user_id: UserId,
  impersonation: Flag,
  project_id: Nullable(Id),
  remaining_uses: Nullable(Type.Integer({ minimum: 1 })),
  expires_at: Nullable(Text),
  allow_redelegation: Nullable(Flag),
  redelegation_count: Nullable(Type.Integer({ minimum: 0 })),
  roles: RoleReferences,
}

export interface TrustBody {
  trustor_user_id: string
  trustee_user_id: string
  impersonation: boolean
  project_id?: string | null
  remaining_uses?: number | null
  expires_at?: string | null
  allow_redelegation?: boolean | null
  redelegation_count?: number | null
  roles?: { id?: string; name?: string }[]
  [extra: string]: unknown
}

const all = '/v3/OS-TRUST/trusts'
const one = `${all}/:trust_id`

const now = (deps: IdentityDeps): string => timestamp(deps.clock)

async function ofPath(request: IdentityRequest, deps: IdentityDeps): Promise<TrustRow> {
  return getTrust(deps.db, request.params['trust_id']!, now(deps))
}

// A trust that is not there is a 404 for everybody.
async function trustTarget(request: IdentityRequest, deps: IdentityDeps) {
  const { trustor_user_id, trustee_user_id } = await ofPath(request, deps)
  return { target: { trust: { trustor_user_id, trustee_user_id } } }
}

function noCredentials(request: IdentityRequest): void {
  if (isByCredential(request)) throw forbiddenAction('Delegated tokens cannot manage trusts.')
}

function trustView(origin: string, row: TrustRow): Record<string, unknown> {
  return {
    id: row.id,
    trustor_user_id: row.trustor_user_id,
    trustee_user_id: row.trustee_user_id,
    project_id: row.project_id,
    impersonation: row.impersonation === 1,
    expires_at: row.expires_at,
    remaining_uses: row.remaining_uses,
    redelegation_count: row.redelegation_count,
    redelegated_trust_id: row.redelegated_trust_id,
    deleted_at: row.deleted_at,
    links: { self: `${origin}${all}/${row.id}` },
  }
}

async function rolesOf(request: IdentityRequest, deps: IdentityDeps, row: TrustRow) {
  const roles = await listRoles(deps.db, { ids: JSON.parse(row.role_ids) as string[] })
  return roles.map((role) => roleView(request.origin, role))
}

async function wholeView(request: IdentityRequest, deps: IdentityDeps, row: TrustRow) {
  const roles_links = { self: `${request.origin}${all}/${row.id}/roles`, next: null, previous: null }
  return { ...trustView(request.origin, row), roles: await rolesOf(request, deps, row), roles_links }
}

export const trustRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: (request) => {
      if (queried(request, 'trustor_user_id') !== undefined) return 'identity:list_trusts_for_trustor'
      if (queried(request, 'trustee_user_id') !== undefined) return 'identity:list_trusts_for_trustee'
      return 'identity:list_trusts'
    },
    target: (request) => ({ target: { trust: { ...request.query } } }),
    async handler(request, deps) {
      noCredentials(request)
      const trustorId = queried(request, 'trustor_user_id')
      const trusteeId = queried(request, 'trustee_user_id')
      const rows = await listTrusts(deps.db, {
        ...(trustorId === undefined ? {} : { trustorId }),
        ...(trusteeId === undefined ? {} : { trusteeId }),
      })
      return collection(
        request,
        'trusts',
        rows.map((row) => trustView(request.origin, row)),
      )
    },
  },
  {
    post: all,
    rule: 'identity:create_trust',
    target: (request: IdentityRequest<{ trust?: TrustBody } | undefined>) => ({
      target: { trust: { trustor_user_id: request.body?.trust?.trustor_user_id } },
    }),
    body: {
      key: 'trust',
      schema: creation(properties, ['trustor_user_id', 'trustee_user_id', 'impersonation']),
    },
    status: 201,
    leavesTokens: true,
    handler: create,
  },
  {
    get: one,
    rule: 'identity:get_trust',
    target: trustTarget,
    async handler(request, deps) {
      noCredentials(request)
      return { trust: await wholeView(request, deps, await ofPath(request, deps)) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_trust',
    target: trustTarget,
    async handler(request, deps) {
      noCredentials(request)
      const { id } = await ofPath(request, deps)
      await inTransaction(deps.db, (transaction) => removeTrust(transaction, id, now(deps)))
    },
  },
  {
    get: `${one}/roles`,
    rule: 'identity:list_roles_for_trust',
    target: trustTarget,
    async handler(request, deps) {
      return collection(request, 'roles', await rolesOf(request, deps, await ofPath(request, deps)))
    },
  },
  {
    get: `${one}/roles/:role_id`,
    rule: 'identity:get_role_for_trust',
    target: trustTarget,
    async handler(request, deps) {
      const roles = await rolesOf(request, deps, await ofPath(request, deps))
      const id = request.params['role_id']!
      const role = roles.find((view) => view['id'] === id)
      if (role === undefined) throw new Fault('not-found', `Could not find role: ${id}.`)
      return { role }
    },
  },
]

async function create(request: IdentityRequest<{ trust: TrustBody }>, deps: IdentityDeps) {
  noCredentials(request)
  const body = request.body.trust
  const projectId = body.project_id ?? null
  const roleIds = await roleIdsOf(deps, body.roles ?? [])
  if (projectId !== null && roleIds.length === 0) {
    throw forbiddenAction('At least one role should be specified')
  }
  await getUser(deps.db, body.trustee_user_id)
  const wanted: TrustRow = {
    id: newHexId(),
    trustor_user_id: body.trustor_user_id,
    trustee_user_id: body.trustee_user_id,
    project_id: projectId,
    impersonation: body.impersonation ? 1 : 0,
    expires_at: parseExpiry(body.expires_at, deps.clock),
    remaining_uses: body.remaining_uses ?? null,
    redelegation_count: body.allow_redelegation === true ? (body.redelegation_count ?? 3) : 0,
    redelegated_trust_id: null,
    role_ids: JSON.stringify(roleIds),
    deleted_at: null,
    extra: extraOf(body, Object.keys(properties)),
  }
  const sourceId = request.context.extra?.['trustId'] as string | undefined
  const source = sourceId === undefined ? undefined : await getTrust(deps.db, sourceId, now(deps))
  const row = source === undefined ? wanted : redelegated(source, wanted, body)
  await assertTrustorHolds(deps, row, roleIds, source)
  await insertTrust(deps.db, row)
  return { trust: await wholeView(request, deps, row) }
}

// Through a chain of trusts it is the first trustor whose roles are handed on.
async function assertTrustorHolds(
  deps: IdentityDeps,
  row: TrustRow,
  roleIds: readonly string[],
  source: TrustRow | undefined,
): Promise<void> {
  if (row.project_id === null) return
  let first = source
  while (first?.redelegated_trust_id != null) {
    first = await getTrust(deps.db, first.redelegated_trust_id, now(deps))
  }
  const project = await getProject(deps.db, row.project_id)
  const held = await effectiveProjectRoles(deps.db, first?.trustor_user_id ?? row.trustor_user_id, project)
  const missing = roleIds.find((id) => !held.some((role) => role.id === id))
  if (missing !== undefined) throw new Fault('not-found', `Could not find role: ${missing}.`)
}
