import type { ApiRequest, Route } from '../../base/http/route.ts'
import { version, versionHeader } from '../../base/version.ts'

/** Newest first. 2.14 and 2.16 stand for the image cache, which this service does not have. */
const minors = [17, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

function versions(request: ApiRequest) {
  request.setHeader(versionHeader, version)
  return {
    versions: minors.map((minor, index) => ({
      id: `v2.${minor}`,
      status: index === 0 ? 'CURRENT' : 'SUPPORTED',
      links: [{ rel: 'self', href: `${request.origin}/v2/` }],
    })),
  }
}

/** `/` and `/v2` answer 300 Multiple Choices, as clients of glance expect. */
export const versionRoutes: readonly Route<unknown>[] = [
  { get: '/', policy: null, status: 300, handler: versions },
  { get: '/versions', policy: null, handler: versions },
  { get: '/v2', policy: null, status: 300, handler: versions },
]
