import type { Route } from '../../../base/http/route.ts'
import type { ApiDeps } from '../resource.ts'

/** Providers of advanced services: none are built in. */
export const serviceProviderRoutes: readonly Route<ApiDeps>[] = [
  {
    get: '/v2.0/service-providers',
    policy: 'get_service_provider',
    handler: () => ({ service_providers: [] }),
  },
]
