import { randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import {
  type AccessRuleRow,
  type ApplicationCredentialRow,
  ensureAccessRule,
  findApplicationCredential,
  getApplicationCredential,
  insertApplicationCredential,
  listAccessRules,
  listApplicationCredentials,
  removeApplicationCredential,
} from '../../store/application-credentials.ts'
import { findRoleByName, listRoles } from '../../store/roles.ts'
import { globalRole } from '../../store/tables.ts'
import { collection, filtered } from '../collection.ts'
import { forbidRestricted } from '../delegation.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { parseExpiry } from '../moments.ts'
import { creation, Flag, Id, Name, Nullable, Text } from '../schemas.ts'

/** A role by id or by name. */
export const RoleReferences = Type.Array(
  Type.Unsafe({
    type: 'object',
    properties: { id: Id, name: Name },
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  }),
)

const body = {
  key: 'application_credential',
  schema: creation(
    {
      name: Name,
      description: Nullable(Text),
      secret: Nullable(Text),
      expires_at: Nullable(Text),
      roles: RoleReferences,
      unrestricted: Flag,
      access_rules: Type.Array(
        Type.Object(
          {
            path: Type.Optional(Type.String({ maxLength: 225, pattern: '^/.*' })),
            method: Type.Optional(Type.String({ pattern: '^(POST|GET|HEAD|PATCH|PUT|DELETE)$' })),
            service: Type.Optional(Id),
            id: Type.Optional(Id),
          },
          { additionalProperties: false },
        ),
      ),
    },
    ['name'],
  ),
}

interface Body {
  name: string
  description?: string | null
  secret?: string | null
  expires_at?: string | null
  roles?: { id?: string; name?: string }[]
  unrestricted?: boolean
  access_rules?: { id?: string; path?: string; method?: string; service?: string }[]
}

const all = '/v3/users/:user_id/application_credentials'

// The credential's owner counts, whoever the path names.
async function owner(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findApplicationCredential(deps.db, request.params['application_credential_id']!)
  return row === undefined ? {} : { user_id: row.user_id }
}

export const applicationCredentialRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: 'identity:list_application_credentials',
    async handler(request, deps) {
      const rows = await listApplicationCredentials(deps.db, request.params['user_id']!)
      const views = await Promise.all(rows.map((row) => view(request, deps, row)))
      return collection(request, 'application_credentials', filtered(request, views, ['name']))
    },
  },
  {
    get: `${all}/:application_credential_id`,
    rule: 'identity:get_application_credential',
    target: owner,
    async handler(request, deps) {
      const row = await getApplicationCredential(deps.db, request.params['application_credential_id']!)
      return { application_credential: await view(request, deps, row) }
    },
  },
  {
    post: all,
    rule: 'identity:create_application_credential',
    body,
    status: 201,
    leavesTokens: true,
    handler: create,
  },
  {
    delete: `${all}/:application_credential_id`,
    rule: 'identity:delete_application_credential',
    target: owner,
    async handler(request, deps) {
      const row = await getApplicationCredential(deps.db, request.params['application_credential_id']!)
      forbidRestricted(request)
      await removeApplicationCredential(deps.db, row.id)
    },
  },
]

async function create(request: IdentityRequest<{ application_credential: Body }>, deps: IdentityDeps) {
  forbidRestricted(request)
  const given = request.body.application_credential
  const { userId, projectId } = request.context
  if (projectId === null) {
    throw invalid('a project-scoped token is required to create one')
  }
  const expiresAt = parseExpiry(given.expires_at, deps.clock)
  const roleIds = await rolesFor(request, deps, given)
  const secret = given.secret || randomBytes(64).toString('base64url')
  const row: ApplicationCredentialRow = {
    id: newHexId(),
    name: given.name,
    user_id: userId,
    project_id: projectId,
    secret_hash: await deps.passwords.hash(secret),
    description: given.description ?? null,
    expires_at: expiresAt,
    unrestricted: given.unrestricted === true ? 1 : 0,
    access_rule_ids: await accessRuleIds(deps, userId, given),
    role_ids: JSON.stringify(roleIds),
  }
  await insertApplicationCredential(deps.db, row)
  return { application_credential: { ...(await view(request, deps, row)), secret } }
}

// Only roles of the token at hand: a trustee or a program hands on no more than it was given.
async function rolesFor(request: IdentityRequest, deps: IdentityDeps, given: Body): Promise<string[]> {
  const held = (request.context.extra?.['roleIds'] ?? []) as string[]
  if (given.roles === undefined || given.roles.length === 0) return held
  const ids = await roleIdsOf(deps, given.roles)
  if (ids.every((id) => held.includes(id))) return ids
  throw invalid('Cannot create an application credential with unassigned role')
}

/** Roles that are named by id or by name. */
export async function roleIdsOf(
  deps: IdentityDeps,
  references: readonly { id?: string; name?: string }[],
): Promise<string[]> {
  const ids: string[] = []
  for (const { id, name } of references) {
    const found = id ?? (await findRoleByName(deps.db, name!))?.id
    if (found === undefined) throw new Fault('not-found', `Could not find role: ${name}.`)
    ids.push(found)
  }
  return ids
}

async function accessRuleIds(deps: IdentityDeps, userId: string, given: Body): Promise<string | null> {
  if (given.access_rules === undefined) return null
  const ids: string[] = []
  for (const { id, service, method, path } of given.access_rules) {
    if (id !== undefined) {
      const [rule] = await listAccessRules(deps.db, { userId, ids: [id] })
      if (rule === undefined) throw new Fault('not-found', `Could not find Access Rule: ${id}.`)
      ids.push(id)
    } else if (service !== undefined && method !== undefined && path !== undefined) {
      ids.push((await ensureAccessRule(deps.db, { user_id: userId, service, method, path })).id)
    } else throw invalid('an access rule needs a service, a method and a path')
  }
  return JSON.stringify(ids)
}

const invalid = (detail: string): Fault => new Fault('invalid', `Invalid application credential: ${detail}`)

async function view(request: IdentityRequest, deps: IdentityDeps, row: ApplicationCredentialRow) {
  const roles = await listRoles(deps.db, { ids: JSON.parse(row.role_ids) as string[] })
  const ruleIds: string[] | null = row.access_rule_ids === null ? null : JSON.parse(row.access_rule_ids)
  const rules = ruleIds === null ? undefined : await listAccessRules(deps.db, { ids: ruleIds })
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    project_id: row.project_id,
    user_id: row.user_id,
    system: null,
    expires_at: row.expires_at?.slice(0, -1) ?? null,
    unrestricted: row.unrestricted === 1,
    roles: roles.map((role) => ({
      id: role.id,
      name: role.name,
      domain_id: role.domain_id === globalRole ? null : role.domain_id,
    })),
    ...(rules === undefined ? {} : { access_rules: rules.map(ruleView) }),
    links: { self: `${request.origin}/v3/users/${row.user_id}/application_credentials/${row.id}` },
  }
}

const ruleView = ({ id, service, method, path }: AccessRuleRow) => ({ id, service, method, path })
