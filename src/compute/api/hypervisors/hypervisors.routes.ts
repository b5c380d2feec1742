import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { isUuid } from '../../../base/ids.ts'
import { listReachableInstances } from '../../store/list-instances.ts'
import type { CellDeps } from '../deps.ts'
import { type Hypervisor, listHypervisors } from '../hosts/host-services.ts'
import { nextLink } from '../links.ts'
import { isFull, pageOf, queryValue } from '../paging.ts'
import { byVersion, Digits, Flag, HostName, isTrue, paging, queryOf } from '../schema-types.ts'
import { figures, hypervisorView } from './hypervisor-view.ts'

const listQuery = byVersion((version) => {
  if (version < 2033) return queryOf({}, { strict: false })
  if (version < 2053) return queryOf({ ...paging, limit: Digits }, { strict: false })
  return queryOf({ ...paging, hypervisor_hostname_pattern: HostName, with_servers: Flag }, { strict: true })
})
const showQuery = byVersion((version) =>
  version < 2053 ? queryOf({}, { strict: false }) : queryOf({ with_servers: Flag }, { strict: true }),
)

const rule = (name: string) => `os_compute_api:os-hypervisors:${name}`
const path = '/os-hypervisors'
type Request = ApiRequest<never>

export const hypervisorRoutes: readonly Route<CellDeps>[] = [
  {
    get: path,
    policy: rule('list'),
    query: listQuery,
    handler: (request, deps) => list(request, deps, false),
  },
  {
    get: `${path}/detail`,
    policy: rule('list-detail'),
    query: listQuery,
    handler: (request, deps) => list(request, deps, true),
  },
  { get: `${path}/statistics`, until: '2.87', policy: rule('statistics'), handler: statistics },
  { get: `${path}/:id`, policy: rule('show'), query: showQuery, handler: show },
  { get: `${path}/:id/uptime`, until: '2.87', policy: rule('uptime'), handler: uptime },
  { get: `${path}/:id/search`, until: '2.52', policy: rule('search'), handler: search },
  { get: `${path}/:id/servers`, until: '2.52', policy: rule('servers'), handler: servers },
]

async function list(request: Request, deps: CellDeps, detail: boolean) {
  const pattern = request.atLeast('2.53') ? queryValue(request, 'hypervisor_hostname_pattern') : undefined
  const withServers = request.atLeast('2.53') && isTrue(queryValue(request, 'with_servers'))
  const page = pageOf(request, deps.config.maxLimit)
  if (pattern !== undefined) {
    if (page.marker !== undefined || queryValue(request, 'limit') !== undefined) {
      throw new Fault(
        'invalid',
        'Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.',
      )
    }
    const found = await matching(deps, pattern)
    return { hypervisors: await views(request, deps, found, { detail, withServers }) }
  }
  const all = await listHypervisors(deps)
  if (!request.atLeast('2.33'))
    return { hypervisors: await views(request, deps, all, { detail, withServers }) }
  const found = pageFrom(request, all, page)
  const answer: Record<string, unknown> = {
    hypervisors: await views(request, deps, found, { detail, withServers }),
  }
  if (isFull(found, page.limit))
    answer['hypervisors_links'] = [nextLink(request as ApiRequest, String(idOf(request, found.at(-1)!)))]
  return answer
}

const idOf = (request: Request, { node }: Hypervisor) => (request.atLeast('2.53') ? node.uuid : node.id)

function pageFrom(request: Request, all: Hypervisor[], page: { limit: number; marker?: string }) {
  let start = 0
  if (page.marker !== undefined) {
    const at = all.findIndex((one) => String(idOf(request, one)) === page.marker)
    if (at < 0) throw new Fault('invalid', `marker [${page.marker}] not found`)
    start = at + 1
  }
  return all.slice(start, start + page.limit)
}

async function views(
  request: Request,
  deps: CellDeps,
  hypervisors: readonly Hypervisor[],
  options: { detail: boolean; withServers: boolean },
) {
  const shown = hypervisors.map((one) => hypervisorView(one, request.microversion, options))
  if (!options.withServers || hypervisors.length === 0) return shown
  const hosts = hypervisors.map(({ node }) => node.host)
  const { instances } = await listReachableInstances(deps, { equals: { host: hosts } })
  const onHost = Map.groupBy(instances, (instance) => instance.host)
  for (const [at, { node }] of hypervisors.entries()) {
    const hosted = (onHost.get(node.host) ?? []).map((instance) => ({
      name: instance.display_name,
      uuid: instance.uuid,
    }))
    if (hosted.length > 0 || request.atLeast('2.75')) shown[at]!['servers'] = hosted
  }
  return shown
}

async function matching(deps: CellDeps, pattern: string): Promise<Hypervisor[]> {
  const found = await listHypervisors(deps, { hostnameLike: pattern })
  if (found.length > 0) return found
  throw new Fault('not-found', `No hypervisor matching '${pattern}' could be found.`)
}

async function find(request: Request, deps: CellDeps): Promise<Hypervisor> {
  const id = request.params['id']!
  const byUuid = request.atLeast('2.53')
  if (byUuid && !isUuid(id)) throw new Fault('invalid', `Invalid uuid ${id}`)
  const found = (await listHypervisors(deps)).find((one) => String(idOf(request, one)) === id)
  if (found === undefined) throw new Fault('not-found', `Hypervisor with ID '${id}' could not be found.`)
  return found
}

async function show(request: Request, deps: CellDeps) {
  const withServers = request.atLeast('2.53') && isTrue(queryValue(request, 'with_servers'))
  const [hypervisor] = await views(request, deps, [await find(request, deps)], { detail: true, withServers })
  return { hypervisor }
}

async function uptime(request: Request, deps: CellDeps): Promise<never> {
  await find(request, deps)
  throw new Fault('not-implemented', 'The requested functionality is not supported.')
}

async function search(request: Request, deps: CellDeps) {
  const found = await matching(deps, request.params['id']!)
  return { hypervisors: await views(request, deps, found, { detail: false, withServers: false }) }
}

async function servers(request: Request, deps: CellDeps) {
  const found = await matching(deps, request.params['id']!)
  return { hypervisors: await views(request, deps, found, { detail: false, withServers: true }) }
}

async function statistics(_request: Request, deps: CellDeps) {
  const total: Record<string, number> = { count: 0 }
  const enabled = (await listHypervisors(deps)).filter(({ service }) => service.disabled === 0)
  const empty = { ...figures({ node: noNode } as Hypervisor) }
  for (const name of Object.keys(empty)) total[name] = 0
  for (const hypervisor of enabled) {
    total['count']! += 1
    for (const [name, figure] of Object.entries(figures(hypervisor))) total[name]! += figure ?? 0
  }
  return { hypervisor_statistics: total }
}

const noNode = { memory_mb: 0, memory_mb_used: 0, local_gb: 0, local_gb_used: 0 }
