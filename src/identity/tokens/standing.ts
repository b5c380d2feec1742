/** What a token stands on: its user, scope and roles as the database has them now. */
import type { Db } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import {
  type AccessRuleRow,
  type ApplicationCredentialRow,
  findApplicationCredential,
  listAccessRules,
} from '../store/application-credentials.ts'
import { effectiveDomainRoles, effectiveProjectRoles, effectiveSystemRoles } from '../store/assignments.ts'
import { type AccessTokenRow, findAccessToken } from '../store/oauth1.ts'
import { findDomain, findProject, type ProjectRow } from '../store/projects.ts'
import { listRoles, loadImplications, type RoleRow, withImplied } from '../store/roles.ts'
import { globalRole, type Tables } from '../store/tables.ts'
import { findTrust, hasEnded, type TrustRow } from '../store/trusts.ts'
import { findUser, type UserRow } from '../store/users.ts'
import type { Claims } from './claims.ts'

export interface Standing {
  user: UserRow
  userDomain: ProjectRow
  project?: ProjectRow
  projectDomain?: ProjectRow
  domain?: ProjectRow
  roles: readonly RoleRow[]
  applicationCredential?: { row: ApplicationCredentialRow; accessRules: readonly AccessRuleRow[] | null }
  accessToken?: AccessTokenRow
  trust?: { row: TrustRow; trustor: UserRow; trustorDomain: ProjectRow }
}

/** Throws `unauthenticated` with the reason when the token has nothing to stand on any more. */
export async function findStanding(db: Db<Tables>, claims: Claims, now: number): Promise<Standing> {
  const { user, domain: userDomain } = await enabledUser(db, claims.userId)
  const standing: Standing = { user, userDomain, roles: [] }
  const { scope } = claims
  if (scope.kind === 'project') {
    standing.project = await enabledProject(db, scope.id)
    standing.projectDomain =
      standing.project.is_domain === 1
        ? standing.project
        : await enabledDomain(db, standing.project.domain_id)
  }
  if (scope.kind === 'domain') standing.domain = await enabledDomain(db, scope.id)
  if (claims.applicationCredentialId !== undefined) {
    standing.applicationCredential = await findCredential(db, claims.applicationCredentialId, now)
  }
  if (claims.accessTokenId !== undefined) {
    standing.accessToken = await findUsableAccessToken(db, claims.accessTokenId, now)
  }
  if (claims.trustId !== undefined) standing.trust = await findUsableTrust(db, claims, now)
  standing.roles = await rolesOf(db, claims, standing)
  if (scope.kind !== 'unscoped' && standing.roles.length === 0) {
    throw refused(`User ${user.id} has no access to ${scope.kind} ${'id' in scope ? scope.id : 'all'}`)
  }
  return standing
}

async function rolesOf(db: Db<Tables>, claims: Claims, standing: Standing): Promise<readonly RoleRow[]> {
  const { scope } = claims
  const { user, project, trust, applicationCredential, accessToken } = standing
  if (scope.kind === 'system') return effectiveSystemRoles(db, user.id)
  if (scope.kind === 'domain') return effectiveDomainRoles(db, user.id, scope.id)
  if (project === undefined) return []
  if (trust !== undefined) return rolesOfTrust(db, trust.row, trust.trustor.id, project)
  const roles = await effectiveProjectRoles(db, user.id, project)
  if (accessToken !== undefined) {
    const granted = withImplied(JSON.parse(accessToken.role_ids) as string[], await loadImplications(db))
    return roles.filter((role) => granted.includes(role.id))
  }
  if (applicationCredential === undefined) return roles
  const granted: string[] = JSON.parse(applicationCredential.row.role_ids)
  return roles.filter((role) => granted.includes(role.id))
}

// A trust gives nothing once its trustor lost any of the roles it hands on.
async function rolesOfTrust(
  db: Db<Tables>,
  trust: TrustRow,
  trustorId: string,
  project: ProjectRow,
): Promise<readonly RoleRow[]> {
  const wanted = withImplied(JSON.parse(trust.role_ids) as string[], await loadImplications(db))
  const held = new Set((await effectiveProjectRoles(db, trustorId, project)).map((role) => role.id))
  const roles = (await listRoles(db, { ids: wanted })).filter((role) => role.domain_id === globalRole)
  if (roles.some((role) => !held.has(role.id)))
    throw new Fault('forbidden', 'Trustee has no delegated roles.')
  return roles
}

async function findUsableTrust(db: Db<Tables>, claims: Claims, now: number) {
  const row = await findTrust(db, claims.trustId!)
  // The last use was taken for this very token: only the time counts here.
  if (row === undefined || hasEnded({ ...row, remaining_uses: null }, new Date(now).toISOString())) {
    throw refused(`Could not find trust: ${claims.trustId}.`)
  }
  if (row.trustee_user_id !== claims.userId) throw new Fault('forbidden', 'User is not a trustee.')
  const { user: trustor, domain: trustorDomain } = await enabledUser(db, row.trustor_user_id)
  return { row, trustor, trustorDomain }
}

async function findCredential(db: Db<Tables>, id: string, now: number) {
  const row = await findApplicationCredential(db, id)
  if (row === undefined || (row.expires_at !== null && Date.parse(row.expires_at) <= now)) {
    throw refused(`Could not find Application Credential: ${id}.`)
  }
  const ids: string[] | null = row.access_rule_ids === null ? null : JSON.parse(row.access_rule_ids)
  return { row, accessRules: ids === null ? null : await listAccessRules(db, { ids }) }
}

async function findUsableAccessToken(db: Db<Tables>, id: string, now: number): Promise<AccessTokenRow> {
  const row = await findAccessToken(db, id)
  if (row === undefined || Date.parse(row.expires_at) <= now) throw refused('The access token is over.')
  return row
}

async function enabledUser(db: Db<Tables>, id: string): Promise<{ user: UserRow; domain: ProjectRow }> {
  const user = await findUser(db, id)
  if (user === undefined) throw refused(`Could not find user: ${id}.`)
  if (user.enabled === 0) throw refused(`The account is disabled for user: ${id}.`)
  return { user, domain: await enabledDomain(db, user.domain_id) }
}

async function enabledProject(db: Db<Tables>, id: string): Promise<ProjectRow> {
  const project = await findProject(db, id)
  if (project === undefined) throw refused(`Could not find project: ${id}.`)
  if (project.enabled === 0) throw refused(`Project is disabled: ${id}`)
  return project
}

async function enabledDomain(db: Db<Tables>, id: string): Promise<ProjectRow> {
  const domain = await findDomain(db, id)
  if (domain === undefined) throw refused(`Could not find domain: ${id}.`)
  if (domain.enabled === 0) throw refused(`Domain is disabled: ${id}`)
  return domain
}

/** Who is refused is told nothing; the reason is for the log. */
export function refused(reason: string): Fault {
  return new Fault('unauthenticated', 'The request you have made requires authentication.', { reason })
}
