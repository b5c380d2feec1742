import { Fault } from '#base/errors.ts'
import { findProject } from '../../store/projects.ts'
import {
  type AssignmentFilter,
  type Held,
  listAssignments,
  listEffectiveAssignments,
} from '../../store/role-assignments.ts'
import { collection, isSet, queried } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { type Names, namesFor } from './names.ts'

export const roleAssignmentRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/role_assignments',
    rule: (request) =>
      isSet(request, 'include_subtree')
        ? 'identity:list_role_assignments_for_tree'
        : 'identity:list_role_assignments',
    async target(request, deps) {
      const projectId = queried(request, 'scope.project.id')
      const project = projectId === undefined ? undefined : await findProject(deps.db, projectId)
      const domainId = request.context.domainId ?? undefined
      return { target: { domain_id: domainId, project: { domain_id: project?.domain_id } } }
    },
    handler: list,
  },
]

async function list(request: IdentityRequest, deps: IdentityDeps) {
  const filter = filterOf(request)
  const effective = isSet(request, 'effective')
  const found = await (effective ? listEffectiveAssignments : listAssignments)(deps.db, filter)
  const visible = await withinOwnDomain(request, deps, found)
  const names = isSet(request, 'include_names') ? await namesFor(deps.db, visible) : undefined
  return collection(
    request,
    'role_assignments',
    visible.map((held) => assignmentView(request.origin, held, names)),
  )
}

function filterOf(request: IdentityRequest): AssignmentFilter {
  const text = (name: string) => queried(request, name) || undefined
  const [userId, groupId] = [text('user.id'), text('group.id')]
  const [projectId, domainId] = [text('scope.project.id'), text('scope.domain.id')]
  const system = text('scope.system') !== undefined
  const inheritedTo = queried(request, 'scope.OS-INHERIT:inherited_to')
  const subtree = isSet(request, 'include_subtree')
  const refuse = (message: string): never => {
    throw new Fault('invalid', message)
  }
  if (domainId !== undefined && projectId !== undefined) refuse('Specify a domain or project, not both')
  if (domainId !== undefined && system) refuse('Specify system or domain, not both')
  if (projectId !== undefined && system) refuse('Specify system or project, not both')
  if (userId !== undefined && groupId !== undefined) refuse('Specify a user or group, not both')
  if (subtree && projectId === undefined) {
    refuse('scope.project.id must be specified if include_subtree is also specified')
  }
  if (isSet(request, 'effective')) {
    if (groupId !== undefined)
      refuse('Combining effective and group filter will always result in an empty list.')
    if (inheritedTo === 'projects' && domainId !== undefined) {
      refuse('Combining effective, domain and inherited filters will always result in an empty list.')
    }
  }
  const roleId = text('role.id')
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(groupId === undefined ? {} : { groupId }),
    ...(roleId === undefined ? {} : { roleId }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(domainId === undefined ? {} : { domainId }),
    ...(inheritedTo === undefined ? {} : { inherited: inheritedTo === 'projects' }),
    system,
    subtree,
  }
}

// A token of a domain shows what is in the domain.
async function withinOwnDomain(request: IdentityRequest, deps: IdentityDeps, found: readonly Held[]) {
  const { domainId } = request.context
  if (domainId === null) return found
  const domains = new Map<string, string | undefined>()
  const kept: Held[] = []
  for (const held of found) {
    const { target } = held
    if (target.kind === 'system') continue
    if (target.kind === 'project' && !domains.has(target.id)) {
      domains.set(target.id, (await findProject(deps.db, target.id))?.domain_id)
    }
    if ((target.kind === 'domain' ? target.id : domains.get(target.id)) === domainId) kept.push(held)
  }
  return kept
}

function assignmentView(origin: string, held: Held, names: Names | undefined): Record<string, unknown> {
  const { actor, target, roleId, groupId, from, priorRoleId } = held
  const inherited = held.inherited || from !== undefined
  const scope: Record<string, unknown> =
    target.kind === 'system'
      ? { system: { all: true } }
      : { [target.kind]: names?.target(target) ?? { id: target.id } }
  if (inherited) scope['OS-INHERIT:inherited_to'] = 'projects'
  const place = from ?? target
  const path = [
    inherited ? '/OS-INHERIT' : '',
    place.kind === 'system' ? '/system' : `/${place.kind}s/${place.id}`,
    groupId === undefined ? `/${actor.kind}s/${actor.id}` : `/groups/${groupId}`,
    `/roles/${priorRoleId ?? roleId}`,
    inherited ? '/inherited_to_projects' : '',
  ].join('')
  const links: Record<string, string> = { assignment: `${origin}/v3${path}` }
  if (groupId !== undefined) links['membership'] = `${origin}/v3/groups/${groupId}/users/${actor.id}`
  if (priorRoleId !== undefined) {
    links['prior_role'] = `${origin}/v3/prior_role/${priorRoleId}/implies/${roleId}`
  }
  return {
    role: names?.role(roleId) ?? { id: roleId },
    [actor.kind]: names?.actor(actor) ?? { id: actor.id },
    scope,
    links,
  }
}
