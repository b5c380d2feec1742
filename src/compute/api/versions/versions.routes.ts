/** What versions there are: for every client the first thing it asks, without a token. */
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { version, versionHeader } from '../../../base/version.ts'

export const minVersion = '2.1'
export const maxVersion = '2.96'

const v20 = {
  id: 'v2.0',
  status: 'SUPPORTED',
  version: '',
  min_version: '',
  updated: '2011-01-21T11:33:21Z',
}
const v21 = {
  id: 'v2.1',
  status: 'CURRENT',
  version: maxVersion,
  min_version: minVersion,
  updated: '2013-07-23T11:33:21Z',
}

const brief = (origin: string, version: typeof v21) => ({
  ...version,
  links: [{ rel: 'self', href: `${origin}/${version.id === 'v2.0' ? 'v2' : 'v2.1'}/` }],
})

function detailed(origin: string, version: typeof v21) {
  const { links, ...rest } = brief(origin, version)
  const number = version.id === 'v2.0' ? '2' : '2.1'
  return {
    version: {
      ...rest,
      links: [...links, { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }],
      'media-types': [
        { base: 'application/json', type: `application/vnd.openstack.compute+json;version=${number}` },
      ],
    },
  }
}

/** These stand at the root, outside `/v2.1`. */
export const versionRoutes: readonly Route<object>[] = [
  {
    get: '/',
    policy: null,
    handler: (request: ApiRequest) => {
      request.setHeader(versionHeader, version)
      return { versions: [brief(request.origin, v20), brief(request.origin, v21)] }
    },
  },
  // The address of v2.0 and that of v2.1 are one route here: the path as sent tells which.
  {
    get: '/v2.1',
    policy: null,
    handler: (request: ApiRequest) => detailed(request.origin, /^\/v2(\/|$)/.test(request.path) ? v20 : v21),
  },
]
