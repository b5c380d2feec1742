/** The links in nova's views. Where the request's path names the project, so do they. */
import type { ApiRequest } from '../../base/http/route.ts'

export interface Link {
  rel: string
  href: string
  type?: string
}

const projectInPath = /^\/v2(?:\.1)?\/([0-9a-f-]+)(?=[/?]|$)/

/** The project that the path names: `/v2.1/<project>/servers`. */
export const projectOfPath = (path: string): string | undefined => projectInPath.exec(path)?.[1]

const versionOfPath = (path: string): string => (path.startsWith('/v2/') ? '/v2' : '/v2.1')

/** Makes the links of many resources of one request. */
export function linkMaker(request: ApiRequest, collection: string) {
  const project = projectOfPath(request.path)
  const within = project === undefined ? '' : `/${project}`
  const self = `${request.origin}${versionOfPath(request.path)}${within}/${collection}/`
  const bookmark = `${request.origin}${within}/${collection}/`
  return (id: string): Link[] => [
    { rel: 'self', href: self + id },
    { rel: 'bookmark', href: bookmark + id },
  ]
}

export type LinkMaker = ReturnType<typeof linkMaker>

/** The link to the bookmark only, as a server has to its image and flavor. */
export function bookmarkMaker(request: ApiRequest, collection: string): (id: string) => Link[] {
  const make = linkMaker(request, collection)
  return (id) => [make(id)[1]!]
}

/** The link to the next page, which starts after `marker`. */
export function nextLink(request: ApiRequest, marker: string): Link {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '')
  query.set('marker', marker)
  return { rel: 'next', href: `${request.origin}${request.path}?${query}` }
}
