/** Names for the ids of assignments, with their domains. */
import type { Db } from '#base/db/database.ts'
import type { Actor, Target } from '../../store/assignments.ts'
import { listGroups } from '../../store/groups.ts'
import { listProjects } from '../../store/projects.ts'
import type { Held } from '../../store/role-assignments.ts'
import { listRoles } from '../../store/roles.ts'
import { globalRole, rootDomain, type Tables } from '../../store/tables.ts'
import { listUsers } from '../../store/users.ts'

export interface Names {
  actor(actor: Actor): Record<string, unknown>
  target(target: Exclude<Target, { kind: 'system' }>): Record<string, unknown>
  role(id: string): Record<string, unknown>
}

interface Named {
  id: string
  name: string
  domain_id: string
}

export async function namesFor(db: Db<Tables>, found: readonly Held[]): Promise<Names> {
  const some = (kind: Actor['kind']): boolean => found.some((held) => held.actor.kind === kind)
  const byId = (rows: readonly Named[]) => new Map(rows.map((row) => [row.id, row]))
  const users = byId(some('user') ? await listUsers(db) : [])
  const groups = byId(some('group') ? await listGroups(db) : [])
  const projects = byId(await listProjects(db))
  const roles = byId(await listRoles(db))
  // What was assigned to somebody who is gone shows no name.
  const named = (id: string, row: Named | undefined): Record<string, unknown> => {
    if (row === undefined) return { id, name: '', domain: { id: '', name: '' } }
    if (row.domain_id === globalRole || row.domain_id === rootDomain) return { id, name: row.name }
    const domain = projects.get(row.domain_id)
    return { id, name: row.name, domain: { id: row.domain_id, name: domain?.name ?? '' } }
  }
  return {
    actor: (actor) => named(actor.id, (actor.kind === 'user' ? users : groups).get(actor.id)),
    target: (target) => named(target.id, projects.get(target.id)),
    role: (id) => named(id, roles.get(id)),
  }
}
