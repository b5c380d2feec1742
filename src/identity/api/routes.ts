/** All of identity's routes. */
import type { Route } from '#base/http/route.ts'
import { accessRuleRoutes } from './application-credentials/access-rules.routes.ts'
import { applicationCredentialRoutes } from './application-credentials/application-credentials.routes.ts'
import { authScopeRoutes } from './auth/scopes.routes.ts'
import { loginRoute, tokenRoutes } from './auth/tokens.routes.ts'
import { credentialRoutes } from './credentials/credentials.routes.ts'
import { ec2CredentialRoutes } from './credentials/ec2-credentials.routes.ts'
import { ec2TokenRoutes } from './credentials/ec2-tokens.routes.ts'
import { domainConfigRoutes } from './domains/config.routes.ts'
import { domainRoutes } from './domains/domains.routes.ts'
import { endpointGroupRoutes } from './endpoints/endpoint-groups.routes.ts'
import { endpointProjectRoutes } from './endpoints/endpoint-projects.routes.ts'
import { endpointRoutes } from './endpoints/endpoints.routes.ts'
import { grantRoutes } from './grants/grants.routes.ts'
import { groupRoutes } from './groups/groups.routes.ts'
import { memberRoutes } from './groups/members.routes.ts'
import { type IdentityDeps, type IdentityRoute, toRoute } from './identity-route.ts'
import { limitRoutes } from './limits/limits.routes.ts'
import { registeredLimitRoutes } from './limits/registered-limits.routes.ts'
import { accessTokenRoutes } from './oauth1/access-tokens.routes.ts'
import { consumerRoutes } from './oauth1/consumers.routes.ts'
import { authorizeRoute, handshakeRoutes } from './oauth1/handshake.routes.ts'
import { oauth2Route } from './oauth2/token.routes.ts'
import { policyAssociationRoutes } from './policies/associations.routes.ts'
import { policyRoutes } from './policies/policies.routes.ts'
import { projectRoutes } from './projects/projects.routes.ts'
import { projectTagRoutes } from './projects/tags.routes.ts'
import { regionRoutes } from './regions/regions.routes.ts'
import { revocationRoutes, signedTokenRoutes } from './revocations/revocations.routes.ts'
import { roleAssignmentRoutes } from './role-assignments/role-assignments.routes.ts'
import { implicationRoutes } from './roles/implications.routes.ts'
import { roleRoutes } from './roles/roles.routes.ts'
import { serviceRoutes } from './services/services.routes.ts'
import { trustRoutes } from './trusts/trusts.routes.ts'
import { belongingRoutes } from './users/belongings.routes.ts'
import { passwordRoute } from './users/password.routes.ts'
import { userRoutes } from './users/users.routes.ts'
import { versionRoutes } from './versions.ts'

/** Those that need a token. */
export const guardedRoutes: readonly IdentityRoute[] = [
  ...tokenRoutes,
  ...revocationRoutes,
  ...authScopeRoutes,
  ...domainRoutes,
  ...domainConfigRoutes,
  ...projectRoutes,
  ...projectTagRoutes,
  ...userRoutes,
  ...belongingRoutes,
  ...groupRoutes,
  ...memberRoutes,
  ...roleRoutes,
  ...implicationRoutes,
  ...grantRoutes,
  ...roleAssignmentRoutes,
  ...serviceRoutes,
  ...endpointRoutes,
  ...endpointGroupRoutes,
  ...endpointProjectRoutes,
  ...regionRoutes,
  ...policyRoutes,
  ...policyAssociationRoutes,
  ...credentialRoutes,
  ...ec2CredentialRoutes,
  ...ec2TokenRoutes,
  ...applicationCredentialRoutes,
  ...accessRuleRoutes,
  ...trustRoutes,
  ...consumerRoutes,
  ...accessTokenRoutes,
  authorizeRoute,
  ...registeredLimitRoutes,
  ...limitRoutes,
]

export const identityRoutes: readonly Route<IdentityDeps>[] = [
  ...versionRoutes,
  loginRoute,
  passwordRoute,
  ...handshakeRoutes,
  oauth2Route,
  ...signedTokenRoutes,
  ...guardedRoutes.map(toRoute),
]
