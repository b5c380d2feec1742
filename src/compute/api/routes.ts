/** All of compute's routes. */
import type { Route } from '../../base/http/route.ts'
import type { CellDeps, NetworkDeps, ProjectDeps } from './deps.ts'
import { extensionRoutes } from './extensions/extensions.routes.ts'
import { extraSpecRoutes } from './flavors/extra-specs.routes.ts'
import { flavorRoutes } from './flavors/flavors.routes.ts'

export interface ComputeApiDeps extends CellDeps, ProjectDeps, NetworkDeps {}

/** Their paths start after `/v2.1`. */
export const computeRoutes: readonly Route<ComputeApiDeps>[] = [
  ...extensionRoutes,
  ...flavorRoutes,
  ...extraSpecRoutes,
]
