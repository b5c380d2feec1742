import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { type Flavor, type FlavorQuery, flavorSortKeys, listFlavors } from '../../store/flavors.ts'
import type { ApiDbDeps } from '../deps.ts'
import { nextLink } from '../links.ts'
import { isFull, pageOf, queryValue } from '../paging.ts'
import { AnyText, byVersion, paging, queryOf, readFlag } from '../schema-types.ts'
import { flavorViewer } from './flavor.ts'

export const flavorsQuery = byVersion((version) =>
  queryOf(
    {
      ...paging,
      is_public: AnyText,
      minRam: AnyText,
      minDisk: AnyText,
      sort_key: { type: 'string', enum: [...flavorSortKeys] },
      sort_dir: { type: 'string', enum: ['asc', 'desc'] },
    },
    { strict: version >= 2075 },
  ),
)

export const listBriefly = (request: ApiRequest, deps: ApiDbDeps) =>
  list(request, deps, flavorViewer(request as ApiRequest<never>).brief)

export const listInDetail = (request: ApiRequest, deps: ApiDbDeps) =>
  list(request, deps, flavorViewer(request as ApiRequest<never>).whole)

async function list(request: ApiRequest, deps: ApiDbDeps, view: (flavor: Flavor) => object) {
  const query = queryFrom(request, deps)
  const flavors = await listFlavors(deps.apiDb, query)
  const answer: Record<string, unknown> = { flavors: flavors.map(view) }
  if (isFull(flavors, query.limit)) answer['flavors_links'] = [nextLink(request, flavors.at(-1)!.flavorid)]
  return answer
}

function queryFrom(request: ApiRequest, deps: ApiDbDeps): FlavorQuery {
  const get = (name: string) => queryValue(request as ApiRequest<never>, name)
  const isAdmin = request.can('context_is_admin')
  const query: FlavorQuery = {
    ...pageOf(request as ApiRequest<never>, deps.config.maxLimit),
    sortKey: (get('sort_key') ?? 'flavorid') as FlavorQuery['sortKey'],
    descending: get('sort_dir') === 'desc',
    enabledOnly: !isAdmin,
  }
  const asked = isAdmin ? get('is_public') : undefined
  const isPublic = asked === undefined ? true : /^none$/i.test(asked) ? 'any' : readFlag(asked)
  if (isPublic === undefined) throw new Fault('invalid', `Invalid is_public filter [${asked}]`)
  if (isPublic !== 'any') query.isPublic = isPublic
  if (request.context.projectId !== null) query.accessibleTo = request.context.projectId
  for (const [name, key] of [
    ['minRam', 'minMemoryMb'],
    ['minDisk', 'minRootGb'],
  ] as const) {
    const text = get(name)
    if (text === undefined) continue
    if (!/^\s*-?\d+\s*$/.test(text)) throw new Fault('invalid', `Invalid ${name} filter [${text}]`)
    query[key] = Number(text)
  }
  return query
}
