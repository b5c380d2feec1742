import { version, versionHeader } from '#base/version.ts'
import type { PlacementRoute, Request } from '../deps.ts'
import { setModified } from '../request.ts'
import { versions } from '../versions.ts'

export const rootRoutes: readonly PlacementRoute[] = [{ get: '/', policy: null, handler: showVersions }]

function showVersions(request: Request): unknown {
  setModified(request)
  request.setHeader(versionHeader, version)
  const document = {
    id: `v${versions.min}`,
    max_version: versions.max,
    min_version: versions.min,
    status: 'CURRENT',
    links: [{ rel: 'self', href: '' }],
  }
  return { versions: [document] }
}
