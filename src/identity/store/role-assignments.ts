/** Assignments as lists show them: as they were made, or as they work out for each user and project. */
import type { Db } from '#base/db/database.ts'
import type { Actor, Target } from './assignments.ts'
import { descendants, listProjects } from './projects.ts'
import { type Implications, listRoles, loadImplications, withImplied } from './roles.ts'
import { globalRole, type Tables } from './tables.ts'

export interface Held {
  actor: Actor
  target: Target
  roleId: string
  inherited: boolean
  /** What it comes from when it was not made as such. */
  groupId?: string
  from?: Exclude<Target, { kind: 'system' }>
  priorRoleId?: string
}

export interface AssignmentFilter {
  userId?: string
  groupId?: string
  roleId?: string
  projectId?: string
  domainId?: string
  system?: boolean
  inherited?: boolean
  /** Also the projects below the project. */
  subtree?: boolean
}

/** Assignments as they were made. */
export async function listAssignments(db: Db<Tables>, filter: AssignmentFilter): Promise<Held[]> {
  const scopes = await wantedScopes(db, filter)
  return (await loadAll(db)).filter(
    (held) =>
      fitsActor(held, filter) &&
      (filter.roleId === undefined || held.roleId === filter.roleId) &&
      (filter.inherited === undefined || held.inherited === filter.inherited) &&
      scopes(held.target),
  )
}

/** Assignments as they work out: members for groups, projects for what is inherited, and implied roles. */
export async function listEffectiveAssignments(db: Db<Tables>, filter: AssignmentFilter): Promise<Held[]> {
  const scopes = await wantedScopes(db, filter)
  const implications = await loadImplications(db)
  const domainSpecific = new Set(
    (await listRoles(db)).filter((role) => role.domain_id !== globalRole).map((role) => role.id),
  )
  const users = await expandGroups(db, await loadAll(db))
  const mine = users.filter((held) => filter.userId === undefined || held.actor.id === filter.userId)
  const found = (await expandInherited(db, mine)).flatMap((held) => expandImplied(held, implications))
  return found.filter(
    (held) =>
      !domainSpecific.has(held.roleId) &&
      (filter.roleId === undefined || held.roleId === filter.roleId) &&
      (filter.inherited === undefined || (held.from !== undefined) === filter.inherited) &&
      scopes(held.target),
  )
}

async function loadAll(db: Db<Tables>): Promise<Held[]> {
  const rows = await db.selectFrom('assignment').selectAll().execute()
  const system = await db.selectFrom('system_assignment').selectAll().execute()
  return [
    ...rows.map(
      (row): Held => ({
        actor: { kind: row.type.startsWith('User') ? 'user' : 'group', id: row.actor_id },
        target: { kind: row.type.endsWith('Project') ? 'project' : 'domain', id: row.target_id },
        roleId: row.role_id,
        inherited: row.inherited === 1,
      }),
    ),
    ...system.map(
      (row): Held => ({
        actor: { kind: row.type === 'UserSystem' ? 'user' : 'group', id: row.actor_id },
        target: { kind: 'system' },
        roleId: row.role_id,
        inherited: false,
      }),
    ),
  ]
}

function fitsActor({ actor }: Held, { userId, groupId }: AssignmentFilter): boolean {
  if (userId !== undefined) return actor.kind === 'user' && actor.id === userId
  return groupId === undefined || (actor.kind === 'group' && actor.id === groupId)
}

async function wantedScopes(db: Db<Tables>, filter: AssignmentFilter): Promise<(target: Target) => boolean> {
  const { projectId, domainId, system } = filter
  if (projectId !== undefined) {
    const below = filter.subtree === true ? await descendants(db, projectId) : []
    const ids = new Set([projectId, ...below.map((row) => row.id)])
    return (target) => target.kind === 'project' && ids.has(target.id)
  }
  if (domainId !== undefined) return (target) => target.kind === 'domain' && target.id === domainId
  if (system === true) return (target) => target.kind === 'system'
  return () => true
}

async function expandGroups(db: Db<Tables>, all: readonly Held[]): Promise<Held[]> {
  const members = Map.groupBy(
    await db.selectFrom('user_group_membership').selectAll().execute(),
    (row) => row.group_id,
  )
  return all.flatMap((held) => {
    if (held.actor.kind === 'user') return [held]
    const groupId = held.actor.id
    return (members.get(groupId) ?? []).map(
      (row): Held => ({ ...held, actor: { kind: 'user', id: row.user_id }, groupId }),
    )
  })
}

async function expandInherited(db: Db<Tables>, all: readonly Held[]): Promise<Held[]> {
  const below = new Map<string, string[]>()
  const found: Held[] = []
  for (const held of all) {
    const { target } = held
    if (!held.inherited || target.kind === 'system') {
      found.push(held)
      continue
    }
    let ids = below.get(target.id)
    if (ids === undefined) {
      const rows =
        target.kind === 'domain'
          ? await listProjects(db, { domainId: target.id, isDomain: false })
          : await descendants(db, target.id)
      ids = rows.map((row) => row.id)
      below.set(target.id, ids)
    }
    for (const id of ids) found.push({ ...held, target: { kind: 'project', id }, from: target })
  }
  return found
}

function expandImplied(held: Held, implications: Implications): Held[] {
  const [own, ...implied] = withImplied([held.roleId], implications)
  return [
    { ...held, roleId: own! },
    ...implied.map((roleId) => ({ ...held, roleId, priorRoleId: held.roleId })),
  ]
}
