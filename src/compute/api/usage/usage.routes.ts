/** How long servers ran, and with how much, in a period. */
import { type Clock, systemClock } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { Instance } from '../../store/instance-records.ts'
import { listInstances } from '../../store/list-instances.ts'
import type { CellDeps } from '../deps.ts'
import { nextLink } from '../links.ts'
import { isFull, pageOf, queryValue } from '../paging.ts'
import { AnyText, byVersion, paging, queryOf } from '../schema-types.ts'

const query = byVersion((version) =>
  queryOf(
    { start: AnyText, end: AnyText, detailed: AnyText, ...(version < 2040 ? {} : paging) },
    { strict: version >= 2075 },
  ),
)

const path = '/os-simple-tenant-usage'

export const usageRoutes: readonly Route<CellDeps>[] = [
  { get: path, policy: 'os_compute_api:os-simple-tenant-usage:list', query, handler: listAll },
  { get: `${path}/:project`, policy: 'authenticated', query, handler: showOne },
]

interface Period {
  start: number
  stop: number
}

function periodOf(request: ApiRequest<never>, clock: Clock = systemClock): Period {
  const read = (name: string): number => {
    const text = queryValue(request, name)
    if (text === undefined || text === '') return clock.now()
    if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?$/.test(text)) {
      const time = Date.parse(`${text.replace(' ', 'T')}Z`)
      if (!Number.isNaN(time)) return time
    }
    throw new Fault('invalid', 'Datetime is in invalid format')
  }
  const [start, stop] = [read('start'), read('end')]
  if (start >= stop) {
    throw new Fault('invalid', 'Invalid start time. The start time cannot occur after the end time.')
  }
  return { start, stop: Math.min(stop, clock.now()) }
}

async function listAll(request: ApiRequest<never>, deps: CellDeps) {
  const period = periodOf(request)
  const detailed = queryValue(request, 'detailed') === '1'
  const { usages, links } = await usagesIn(request, deps, period)
  const shown = usages.map(({ server_usages, ...summary }) =>
    detailed ? { ...summary, server_usages } : summary,
  )
  return links.length === 0 ? { tenant_usages: shown } : { tenant_usages: shown, tenant_usages_links: links }
}

async function showOne(request: ApiRequest<never>, deps: CellDeps) {
  const project = request.params['project']!
  request.authorize('os_compute_api:os-simple-tenant-usage:show', { project_id: project })
  const { usages, links } = await usagesIn(request, deps, periodOf(request), project)
  const tenant_usage = usages[0] ?? {}
  return links.length === 0 ? { tenant_usage } : { tenant_usage, tenant_usage_links: links }
}

async function usagesIn(request: ApiRequest<never>, deps: CellDeps, period: Period, project?: string) {
  const all = await listInstances(
    deps,
    { deleted: 'any', ...(project === undefined ? {} : { equals: { project_id: project } }) },
    {
      sort: [
        { key: 'project_id', descending: false },
        { key: 'created_at', descending: false },
      ],
    },
  )
  const active = all.filter((instance) => ranIn(instance, period))
  const page = request.atLeast('2.40')
    ? pageOf(request, deps.config.maxLimit)
    : { limit: deps.config.maxLimit }
  const after = 'marker' in page ? active.findIndex(({ uuid }) => uuid === page.marker) : -1
  if ('marker' in page && after < 0) throw new Fault('invalid', `Marker ${page.marker} could not be found.`)
  const shown = active.slice(after + 1, after + 1 + page.limit)
  const usages = [...Map.groupBy(shown, ({ project_id }) => project_id)].map(([id, its]) =>
    summary(id, its, period),
  )
  const hasMore = request.atLeast('2.40') && isFull(shown, page.limit)
  return { usages, links: hasMore ? [nextLink(request as ApiRequest, shown.at(-1)!.uuid)] : [] }
}

const ranIn = (instance: Instance, { start, stop }: Period): boolean => {
  if (instance.launched_at === null || Date.parse(instance.launched_at) > stop) return false
  return instance.terminated_at === null || Date.parse(instance.terminated_at) >= start
}

const python = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, -1)}000`

function summary(projectId: string, instances: readonly Instance[], period: Period) {
  const server_usages = instances.map((instance) => serverUsage(instance, period))
  const total = (of: (usage: (typeof server_usages)[number]) => number) =>
    server_usages.reduce((sum, usage) => sum + of(usage), 0)
  return {
    tenant_id: projectId,
    start: python(period.start),
    stop: python(period.stop),
    total_hours: total(({ hours }) => hours),
    total_local_gb_usage: total(({ hours, local_gb }) => hours * local_gb),
    total_memory_mb_usage: total(({ hours, memory_mb }) => hours * memory_mb),
    total_vcpus_usage: total(({ hours, vcpus }) => hours * vcpus),
    server_usages,
  }
}

function serverUsage(instance: Instance, period: Period) {
  const launched = Date.parse(instance.launched_at!)
  const ended = instance.terminated_at === null ? undefined : Date.parse(instance.terminated_at)
  const from = Math.max(launched, period.start)
  const to = Math.min(ended ?? period.stop, period.stop)
  return {
    instance_id: instance.uuid,
    name: instance.display_name,
    tenant_id: instance.project_id,
    flavor: instance.flavor.name,
    memory_mb: instance.memory_mb,
    local_gb: instance.root_gb + instance.ephemeral_gb,
    vcpus: instance.vcpus,
    hours: Math.max(0, to - from) / 3_600_000,
    started_at: python(launched),
    ended_at: ended === undefined ? null : python(ended),
    state: ended === undefined ? instance.vm_state : 'terminated',
    uptime: Math.floor(((ended ?? Date.now()) - launched) / 1000),
  }
}
