import type { ApiRequest, Route } from '../../base/http/route.ts'
import { version, versionHeader } from '../../base/version.ts'
import type { AnyResource, ApiDeps } from './resource.ts'

/** `/` and `/v2.0`: where the API is and what it has. */
export function versionRoutes(resources: readonly AnyResource[]): Route<ApiDeps>[] {
  const link = (request: ApiRequest, path: string) => [
    { rel: 'self', href: `${request.origin}/v2.0/${path}` },
  ]
  return [
    {
      get: '/',
      policy: null,
      handler: (request) => {
        request.setHeader(versionHeader, version)
        return { versions: [{ id: 'v2.0', status: 'CURRENT', links: link(request, '') }] }
      },
    },
    {
      get: '/v2.0',
      policy: 'network_api',
      handler: (request) => ({
        resources: resources.map((resource) => ({
          name: resource.name,
          collection: resource.collection,
          links: link(request, resource.path),
        })),
      }),
    },
  ]
}
