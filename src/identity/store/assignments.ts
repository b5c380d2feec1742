/** Who holds which role where. */
import type { Db } from '#base/db/database.ts'
import { groupIdsOf } from './groups.ts'
import { ancestors, type ProjectRow } from './projects.ts'
import { listRoles, loadImplications, type RoleRow, withImplied } from './roles.ts'
import { type AssignmentTable, type AssignmentType, globalRole, type Tables } from './tables.ts'

export interface Actor {
  kind: 'user' | 'group'
  id: string
}

export type Target = { kind: 'project' | 'domain'; id: string } | { kind: 'system' }

export interface Grant {
  actor: Actor
  target: Target
  roleId: string
  /** Holds below the target, not on it. */
  inherited: boolean
}

const typeOf = (actor: Actor['kind'], target: 'project' | 'domain'): AssignmentType =>
  `${actor === 'user' ? 'User' : 'Group'}${target === 'project' ? 'Project' : 'Domain'}`

const systemTypeOf = (kind: Actor['kind']) =>
  kind === 'user' ? ('UserSystem' as const) : ('GroupSystem' as const)

/** Granting twice is granting once. */
export async function insertGrant(db: Db<Tables>, grant: Grant): Promise<void> {
  const { actor, target, roleId } = grant
  if (target.kind === 'system') {
    await db
      .insertInto('system_assignment')
      .values({ type: systemTypeOf(actor.kind), actor_id: actor.id, role_id: roleId })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return
  }
  await db
    .insertInto('assignment')
    .values({
      type: typeOf(actor.kind, target.kind),
      actor_id: actor.id,
      target_id: target.id,
      role_id: roleId,
      inherited: grant.inherited ? 1 : 0,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** False when there was none. */
export async function removeGrant(db: Db<Tables>, grant: Grant): Promise<boolean> {
  const { actor, target, roleId } = grant
  if (target.kind === 'system') {
    const result = await db
      .deleteFrom('system_assignment')
      .where('type', '=', systemTypeOf(actor.kind))
      .where('actor_id', '=', actor.id)
      .where('role_id', '=', roleId)
      .executeTakeFirst()
    return result.numDeletedRows > 0n
  }
  const result = await db
    .deleteFrom('assignment')
    .where('type', '=', typeOf(actor.kind, target.kind))
    .where('actor_id', '=', actor.id)
    .where('target_id', '=', target.id)
    .where('role_id', '=', roleId)
    .where('inherited', '=', grant.inherited ? 1 : 0)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** The roles granted to the actor on the target itself, nothing implied. */
export async function grantedRoleIds(
  db: Db<Tables>,
  actor: Actor,
  target: Target,
  inherited: boolean,
): Promise<string[]> {
  const rows =
    target.kind === 'system'
      ? await db
          .selectFrom('system_assignment')
          .select('role_id')
          .where('type', '=', systemTypeOf(actor.kind))
          .where('actor_id', '=', actor.id)
          .execute()
      : await db
          .selectFrom('assignment')
          .select('role_id')
          .where('type', '=', typeOf(actor.kind, target.kind))
          .where('actor_id', '=', actor.id)
          .where('target_id', '=', target.id)
          .where('inherited', '=', inherited ? 1 : 0)
          .execute()
  return rows.map((row) => row.role_id)
}

/** Every assignment on projects and domains of a user, by itself and by groups. */
export async function assignmentsOfUser(db: Db<Tables>, userId: string): Promise<AssignmentTable[]> {
  const groupIds = await groupIdsOf(db, userId)
  return db
    .selectFrom('assignment')
    .selectAll()
    .where((either) =>
      either.or([
        either.and([either('type', 'in', ['UserProject', 'UserDomain']), either('actor_id', '=', userId)]),
        ...(groupIds.length === 0
          ? []
          : [
              either.and([
                either('type', 'in', ['GroupProject', 'GroupDomain']),
                either('actor_id', 'in', groupIds),
              ]),
            ]),
      ]),
    )
    .execute()
}

/** The roles a user effectively has on a project: direct, by groups, inherited from above, and what those imply. */
export async function effectiveProjectRoles(
  db: Db<Tables>,
  userId: string,
  project: ProjectRow,
): Promise<RoleRow[]> {
  const above = new Set((await ancestors(db, project)).map((row) => row.id))
  above.add(project.domain_id)
  const rows = await assignmentsOfUser(db, userId)
  const held = rows.filter((row) =>
    row.inherited === 1
      ? above.has(row.target_id)
      : row.target_id === project.id && row.type.endsWith('Project'),
  )
  return shown(db, held)
}

/** The roles a user effectively has on a domain, which those of its projects are not. */
export async function effectiveDomainRoles(
  db: Db<Tables>,
  userId: string,
  domainId: string,
): Promise<RoleRow[]> {
  const rows = await assignmentsOfUser(db, userId)
  return shown(
    db,
    rows.filter((row) => row.inherited === 0 && row.target_id === domainId && row.type.endsWith('Domain')),
  )
}

export async function effectiveSystemRoles(db: Db<Tables>, userId: string): Promise<RoleRow[]> {
  const groupIds = await groupIdsOf(db, userId)
  const rows = await db.selectFrom('system_assignment').selectAll().execute()
  return shown(
    db,
    rows.filter((row) =>
      row.type === 'UserSystem' ? row.actor_id === userId : groupIds.includes(row.actor_id),
    ),
  )
}

// Roles of one domain only stand for what they imply; tokens do not show them.
async function shown(db: Db<Tables>, held: readonly { role_id: string }[]): Promise<RoleRow[]> {
  const ids = withImplied(
    held.map((row) => row.role_id),
    await loadImplications(db),
  )
  const roles = await listRoles(db, { ids })
  return roles.filter((role) => role.domain_id === globalRole)
}
