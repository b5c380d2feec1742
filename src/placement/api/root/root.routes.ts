import type { PlacementRoute, Request } from '../deps.ts'
import { setModified } from '../request.ts'
import { versions } from '../versions.ts'

export const rootRoutes: readonly PlacementRoute[] = [{ get: '/', policy: null, handler: showVersions }]

function showVersions(request: Request): unknown {
  setModified(request)
  const version = {
    id: `v${versions.min}`,
    max_version: versions.max,
    min_version: versions.min,
    status: 'CURRENT',
    links: [{ rel: 'self', href: '' }],
  }
  return { versions: [version] }
}
