/** The body of `/v3/auth/tokens`, and the same facts as an AuthContext. */
import type { AuthContext } from '#base/auth/context.ts'
import type { CatalogEntry } from '../store/service-catalog.ts'
import type { Claims } from './claims.ts'
import type { Standing } from './standing.ts'

/** `2026-11-23T22:10:05.123000Z`, keystone's form. */
export const showTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace('Z', '000Z')

const brief = (thing: { id: string; name: string }) => ({ id: thing.id, name: thing.name })

export function tokenView(
  claims: Claims,
  standing: Standing,
  catalog: readonly CatalogEntry[] | undefined,
): Record<string, unknown> {
  const { project, projectDomain, domain, trust, applicationCredential, accessToken } = standing
  const impersonated = trust?.row.impersonation === 1 ? trust : undefined
  const user = impersonated?.trustor ?? standing.user
  const userDomain = impersonated?.trustorDomain ?? standing.userDomain
  const token: Record<string, unknown> = {
    methods: claims.methods,
    user: {
      domain: brief(userDomain),
      ...brief(user),
      password_expires_at: user.password_expires_at,
    },
    audit_ids: [claims.auditId, ...(claims.parentAuditId === undefined ? [] : [claims.parentAuditId])],
    expires_at: showTime(claims.expiresAt),
    issued_at: showTime(claims.issuedAt),
  }
  if (project !== undefined) {
    token['project'] = { domain: brief(projectDomain!), ...brief(project) }
    token['is_domain'] = project.is_domain === 1
  }
  if (domain !== undefined) token['domain'] = brief(domain)
  if (claims.scope.kind === 'system') token['system'] = { all: true }
  if (claims.scope.kind !== 'unscoped') token['roles'] = standing.roles.map(brief)
  if (trust !== undefined) {
    token['OS-TRUST:trust'] = {
      id: trust.row.id,
      trustor_user: { id: trust.row.trustor_user_id },
      trustee_user: { id: trust.row.trustee_user_id },
      impersonation: trust.row.impersonation === 1,
    }
  }
  if (accessToken !== undefined) {
    token['OS-OAUTH1'] = { access_token_id: accessToken.id, consumer_id: accessToken.consumer_id }
  }
  if (applicationCredential !== undefined) {
    const { row, accessRules } = applicationCredential
    token['application_credential'] = {
      ...brief(row),
      restricted: row.unrestricted === 0,
      ...(accessRules === null
        ? {}
        : {
            access_rules: accessRules.map(({ id, service, method, path }) => ({ id, service, method, path })),
          }),
    }
  }
  if (catalog !== undefined && claims.scope.kind !== 'unscoped') token['catalog'] = catalog
  return { token }
}

export function authContextOf(token: string, claims: Claims, standing: Standing): AuthContext {
  const { project, projectDomain, domain, trust, applicationCredential } = standing
  const impersonated = trust?.row.impersonation === 1 ? trust : undefined
  const user = impersonated?.trustor ?? standing.user
  const userDomain = impersonated?.trustorDomain ?? standing.userDomain
  return {
    userId: user.id,
    userName: user.name,
    userDomainId: userDomain.id,
    userDomainName: userDomain.name,
    projectId: project?.id ?? null,
    projectName: project?.name ?? null,
    projectDomainId: projectDomain?.id ?? null,
    projectDomainName: projectDomain?.name ?? null,
    domainId: domain?.id ?? null,
    domainName: domain?.name ?? null,
    systemScope: claims.scope.kind === 'system',
    roles: standing.roles.map((role) => role.name.toLowerCase()),
    expiresAt: claims.expiresAt,
    token,
    accessRules: applicationCredential?.accessRules ?? undefined,
    extra: {
      token: {
        ...(domain === undefined ? {} : { domain: { id: domain.id } }),
        ...(project === undefined ? {} : { project: { domain: { id: projectDomain!.id } } }),
      },
      methods: claims.methods,
      auditId: claims.auditId,
      trustId: claims.trustId,
      trusteeId: trust?.row.trustee_user_id,
      accessTokenId: claims.accessTokenId,
      applicationCredentialId: claims.applicationCredentialId,
      restricted: applicationCredential?.row.unrestricted === 0,
      roleIds: standing.roles.map((role) => role.id),
    },
  }
}
