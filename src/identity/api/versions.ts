import type { Route } from '#base/http/route.ts'
import { version as program, versionHeader } from '#base/version.ts'

const version = (origin: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${origin}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

/** Version discovery needs no token. */
export const versionRoutes: readonly Route<unknown>[] = [
  {
    get: '/',
    policy: null,
    status: 300,
    handler: (request) => {
      request.setHeader(versionHeader, program)
      request.setHeader('location', `${request.origin}/v3/`)
      return { versions: { values: [version(request.origin)] } }
    },
  },
  { get: '/v3', policy: null, handler: (request) => ({ version: version(request.origin) }) },
]
