import type { ApiRequest } from '../../../base/http/route.ts'
import type { Instance } from '../../store/instance-records.ts'
import { listInstances } from '../../store/list-instances.ts'
import type { CellDeps, NetworkDeps } from '../deps.ts'
import { linkMaker, nextLink } from '../links.ts'
import { isFull, pageOf } from '../paging.ts'
import { filtersOf, sortOf } from './list-query.ts'
import { serverViewer } from './server.view.ts'
import { readSurroundings } from './surroundings.ts'

type Request = ApiRequest<never>

/** `GET /servers`: id, name and links. */
export async function listServers(request: Request, deps: CellDeps) {
  const { instances, links } = await find(request, deps, 'index')
  const linksOf = linkMaker(request as ApiRequest, 'servers')
  const servers = instances.map((instance) => ({
    id: instance.uuid,
    name: instance.display_name,
    links: linksOf(instance.uuid),
  }))
  return { servers, ...links }
}

/** `GET /servers/detail`. */
export async function listServersInDetail(request: Request, deps: CellDeps & NetworkDeps) {
  const { instances, links } = await find(request, deps, 'detail')
  const around = await readSurroundings(request, deps, instances, { list: true })
  const viewer = serverViewer(request, around)
  return { servers: instances.map((instance) => viewer.whole(instance)), ...links }
}

async function find(
  request: Request,
  deps: CellDeps,
  rule: 'index' | 'detail',
): Promise<{ instances: Instance[]; links: object }> {
  const filters = filtersOf(request, rule)
  const sort = sortOf(request)
  const page = pageOf(request, deps.config.maxLimit)
  if (filters === undefined) return { instances: [], links: {} }
  // `[api] list_records_by_skipping_down_cells`, nova's default.
  const instances = await listInstances(deps, filters, { ...page, sort }, { skipsDownCells: true })
  const links = isFull(instances, page.limit)
    ? { servers_links: [nextLink(request as ApiRequest, instances.at(-1)!.uuid)] }
    : {}
  return { instances, links }
}
