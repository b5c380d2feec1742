/** All of identity's routes. */
import type { Route } from '#base/http/route.ts'
import { loginRoute, tokenRoutes } from './auth/tokens.routes.ts'
import { type IdentityDeps, toRoute } from './identity-route.ts'
import { versionRoutes } from './versions.ts'

export const identityRoutes: readonly Route<IdentityDeps>[] = [
  ...versionRoutes,
  loginRoute,
  ...[...tokenRoutes].map(toRoute),
]
