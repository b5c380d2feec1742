/** All of placement's routes, at the port's root and under `/placement`. */
import { aggregateRoutes } from './aggregates/aggregate.routes.ts'
import { candidateRoutes } from './allocation-candidates/candidate.routes.ts'
import { allocationRoutes } from './allocations/allocation.routes.ts'
import type { PlacementDeps, PlacementRoute, Request } from './deps.ts'
import { inventoryRoutes } from './inventories/inventory.routes.ts'
import { assertAcceptsJson } from './request.ts'
import { reshaperRoutes } from './reshaper/reshaper.routes.ts'
import { resourceClassRoutes } from './resource-classes/resource-class.routes.ts'
import { providerRoutes } from './resource-providers/provider.routes.ts'
import { rootRoutes } from './root/root.routes.ts'
import { providerTraitRoutes } from './traits/provider-trait.routes.ts'
import { traitRoutes } from './traits/trait.routes.ts'
import { usageRoutes } from './usages/usage.routes.ts'

const routes: readonly PlacementRoute[] = [
  ...rootRoutes,
  ...providerRoutes,
  ...inventoryRoutes,
  ...aggregateRoutes,
  ...providerTraitRoutes,
  ...traitRoutes,
  ...resourceClassRoutes,
  ...usageRoutes,
  ...allocationRoutes,
  ...candidateRoutes,
  ...reshaperRoutes,
]

export const placementRoutes: readonly PlacementRoute[] = routes.flatMap((route) => {
  const checked = route.get === undefined || route.policy === null ? route : checkingAccept(route)
  return [checked, under('/placement', checked)]
})

function checkingAccept(route: PlacementRoute): PlacementRoute {
  return {
    ...route,
    handler: (request: Request<never>, deps: PlacementDeps) => {
      assertAcceptsJson(request)
      return route.handler(request, deps)
    },
  }
}

function under(prefix: string, route: PlacementRoute): PlacementRoute {
  const moved = { ...route }
  for (const method of ['get', 'post', 'put', 'delete'] as const) {
    const path = route[method]
    if (path !== undefined) moved[method] = path === '/' ? prefix : prefix + path
  }
  return moved
}
