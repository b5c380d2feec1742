/** Roles of users and groups on projects, domains and the system: the same handful of routes for each combination. */
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { removeApplicationCredentialsOf } from '../../store/application-credentials.ts'
import {
  type Actor,
  type Grant,
  grantedRoleIds,
  insertGrant,
  removeGrant,
  type Target,
} from '../../store/assignments.ts'
import { findGroup, getGroup, memberIdsOf } from '../../store/groups.ts'
import { findDomain, findProject, getDomain, getProject } from '../../store/projects.ts'
import { findRole, getRole, listRoles, type RoleRow } from '../../store/roles.ts'
import { globalRole } from '../../store/tables.ts'
import { findUser, getUser } from '../../store/users.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { roleView } from '../roles/role.ts'

interface Shape {
  actor: Actor['kind']
  target: Target['kind']
  inherited: boolean
  /** Up to `/roles`. */
  path: string
  suffix: string
}

const shapes: readonly Shape[] = (['user', 'group'] as const).flatMap((actor) => [
  ...(['project', 'domain'] as const).flatMap((target) => {
    const path = `/${target}s/:${target}_id/${actor}s/:${actor}_id/roles`
    return [
      { actor, target, inherited: false, path: `/v3${path}`, suffix: '' },
      {
        actor,
        target,
        inherited: true,
        path: `/v3/OS-INHERIT${path}`,
        suffix: '/inherited_to_projects',
      },
    ]
  }),
  {
    actor,
    target: 'system' as const,
    inherited: false,
    path: `/v3/system/${actor}s/:${actor}_id/roles`,
    suffix: '',
  },
])

export const grantRoutes: readonly IdentityRoute[] = shapes.flatMap(routesOf)

function routesOf(shape: Shape): IdentityRoute[] {
  const { path, suffix } = shape
  const one = `${path}/:role_id${suffix}`
  const target = (request: IdentityRequest, deps: IdentityDeps) => grantTarget(shape, request, deps)
  return [
    {
      get: path + suffix,
      rule: ruleOf(shape, 'list'),
      target,
      handler: (request, deps) => list(shape, request, deps),
    },
    {
      get: one,
      rule: ruleOf(shape, 'check'),
      target,
      handler: (request, deps) => check(shape, request, deps),
    },
    {
      put: one,
      rule: ruleOf(shape, 'create'),
      target,
      handler: (request, deps) => grant(shape, request, deps),
    },
    {
      delete: one,
      rule: ruleOf(shape, 'revoke'),
      target,
      handler: (request, deps) => revoke(shape, request, deps),
    },
  ]
}

function ruleOf(shape: Shape, verb: 'list' | 'check' | 'create' | 'revoke'): string {
  const plural = verb === 'list' ? 's' : ''
  if (shape.target !== 'system') return `identity:${verb}_grant${plural}`
  return `identity:${verb}_system_grant${plural}_for_${shape.actor}`
}

async function grantTarget(shape: Shape, request: IdentityRequest, deps: IdentityDeps) {
  const { params } = request
  const actorId = params[`${shape.actor}_id`]!
  const actor = shape.actor === 'user' ? await findUser(deps.db, actorId) : await findGroup(deps.db, actorId)
  const project = shape.target === 'project' ? await findProject(deps.db, params['project_id']!) : undefined
  const domain = shape.target === 'domain' ? await findDomain(deps.db, params['domain_id']!) : undefined
  const role = params['role_id'] === undefined ? undefined : await findRole(deps.db, params['role_id'])
  const roleDomain = role?.domain_id === globalRole ? null : role?.domain_id
  return {
    target: {
      ...(actor === undefined ? {} : { [shape.actor]: { domain_id: actor.domain_id } }),
      ...(project === undefined ? {} : { project: { domain_id: project.domain_id } }),
      ...(domain === undefined ? {} : { domain: { id: domain.id } }),
      ...(role === undefined ? {} : { role: { domain_id: roleDomain } }),
    },
  }
}

/** Everything a path names must be there. */
async function resolve(shape: Shape, request: IdentityRequest, deps: IdentityDeps) {
  const { params } = request
  const target: Target =
    shape.target === 'system' ? { kind: 'system' } : { kind: shape.target, id: params[`${shape.target}_id`]! }
  if (target.kind === 'project') await getProject(deps.db, target.id)
  if (target.kind === 'domain') await getDomain(deps.db, target.id)
  const actor: Actor = { kind: shape.actor, id: params[`${shape.actor}_id`]! }
  return { actor, target }
}

async function resolveGrant(shape: Shape, request: IdentityRequest, deps: IdentityDeps) {
  const role = await getRole(deps.db, request.params['role_id']!)
  const { actor, target } = await resolve(shape, request, deps)
  return { role, grant: { actor, target, roleId: role.id, inherited: shape.inherited } satisfies Grant }
}

async function assertActor(deps: IdentityDeps, actor: Actor): Promise<void> {
  await (actor.kind === 'user' ? getUser(deps.db, actor.id) : getGroup(deps.db, actor.id))
}

async function list(shape: Shape, request: IdentityRequest, deps: IdentityDeps) {
  const { actor, target } = await resolve(shape, request, deps)
  await assertActor(deps, actor)
  const ids = await grantedRoleIds(deps.db, actor, target, shape.inherited)
  const views = (await listRoles(deps.db, { ids })).map((role) => roleView(request.origin, role))
  return collection(request, 'roles', filtered(request, views, ['name']))
}

async function check(shape: Shape, request: IdentityRequest, deps: IdentityDeps): Promise<void> {
  const { grant: wanted } = await resolveGrant(shape, request, deps)
  await assertActor(deps, wanted.actor)
  const ids = await grantedRoleIds(deps.db, wanted.actor, wanted.target, shape.inherited)
  if (!ids.includes(wanted.roleId)) throw noGrant(wanted)
}

async function grant(shape: Shape, request: IdentityRequest, deps: IdentityDeps): Promise<void> {
  const { role, grant: wanted } = await resolveGrant(shape, request, deps)
  await assertActor(deps, wanted.actor)
  await assertRoleFits(deps, role, wanted.target)
  await insertGrant(deps.db, wanted)
}

// A role of one domain is for that domain and its projects.
async function assertRoleFits(deps: IdentityDeps, role: RoleRow, target: Target): Promise<void> {
  if (role.domain_id === globalRole) return
  if (target.kind === 'domain' && target.id === role.domain_id) return
  if (target.kind === 'project') {
    const project = await getProject(deps.db, target.id)
    if (project.domain_id === role.domain_id) return
    throw new Fault(
      'forbidden',
      `Project ${project.id} must be in the same domain as the role ${role.id} being assigned.`,
    )
  }
  throw new Fault('forbidden', `The role ${role.id} belongs to the domain ${role.domain_id} only.`)
}

async function revoke(shape: Shape, request: IdentityRequest, deps: IdentityDeps): Promise<void> {
  const { grant: wanted } = await resolveGrant(shape, request, deps)
  const { actor, target } = wanted
  await inTransaction(deps.db, async (transaction) => {
    if (!(await removeGrant(transaction, wanted))) throw noGrant(wanted)
    if (target.kind !== 'project') return
    const users = actor.kind === 'user' ? [actor.id] : await memberIdsOf(transaction, actor.id)
    for (const userId of users) await removeApplicationCredentialsOf(transaction, userId, target.id)
  })
}

function noGrant({ roleId, actor, target }: Grant): Fault {
  const where = target.kind === 'system' ? 'system' : target.id
  return new Fault(
    'not-found',
    `Could not find role assignment with role: ${roleId}, user or group: ${actor.id}, project, domain, or system: ${where}.`,
  )
}
