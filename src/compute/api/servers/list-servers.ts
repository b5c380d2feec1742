import type { ApiRequest } from '../../../base/http/route.ts'
import type { CellDb } from '../../store/cell-dbs.ts'
import type { InstanceFilters } from '../../store/instance-filters.ts'
import type { InstanceMapping } from '../../store/instance-mappings.ts'
import {
  type InstancePage,
  listReachableInstances,
  listReachableNames,
  type NamedInstance,
} from '../../store/list-instances.ts'
import type { CellDeps, NetworkDeps } from '../deps.ts'
import { linkMaker, nextLink } from '../links.ts'
import { isFull, pageOf } from '../paging.ts'
import { listUnknownServers, unknownViewer } from './down-cells.ts'
import { filtersOf, sortOf } from './list-query.ts'
import { serverViewer } from './server.view.ts'
import { readSurroundings } from './surroundings.ts'

type Request = ApiRequest<never>

/** `GET /servers`: id, name and links. */
export async function listServers(request: Request, deps: CellDeps) {
  const { instances, unknown, links } = await find(request, deps, 'index', listReachableNames)
  const linksOf = linkMaker(request as ApiRequest, 'servers')
  const servers = instances.map((instance) => ({
    id: instance.uuid,
    name: instance.display_name,
    links: linksOf(instance.uuid),
  }))
  return { servers: [...unknown.map(unknownViewer(request).brief), ...servers], ...links }
}

/** `GET /servers/detail`. */
export async function listServersInDetail(request: Request, deps: CellDeps & NetworkDeps) {
  const { instances, unknown, links } = await find(request, deps, 'detail', listReachableInstances)
  const around = await readSurroundings(request, deps, instances)
  const viewer = serverViewer(request, around)
  const servers = instances.map((instance) => viewer.whole(instance))
  return { servers: [...unknown.map(unknownViewer(request).whole), ...servers], ...links }
}

interface Found<I> {
  instances: I[]
  /** Of cells that are away; they come first. */
  unknown: InstanceMapping[]
  links: object
}

async function find<I extends NamedInstance>(
  request: Request,
  deps: CellDeps,
  rule: 'index' | 'detail',
  list: (
    dbs: CellDeps,
    filters: InstanceFilters,
    page: InstancePage,
  ) => Promise<{ instances: I[]; away: CellDb[] }>,
): Promise<Found<I>> {
  const filters = filtersOf(request, rule)
  const sort = sortOf(request)
  const page = pageOf(request, deps.config.maxLimit)
  if (filters === undefined) return { instances: [], unknown: [], links: {} }
  const { instances, away } = await list(deps, filters, { ...page, sort })
  const left = page.limit - instances.length
  const unknown = await listUnknownServers(request, deps, away, filters, left)
  const all = [...unknown.map((mapping) => mapping.instance_uuid), ...instances.map(({ uuid }) => uuid)]
  const links = isFull(all, page.limit)
    ? { servers_links: [nextLink(request as ApiRequest, all.at(-1)!)] }
    : {}
  return { instances, unknown, links }
}
