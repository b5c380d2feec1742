/** Hosts by name, as clients knew them before hypervisors and services; up to 2.42. */
import { Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { listReachableInstances } from '../../store/list-instances.ts'
import { updateService } from '../../store/services.ts'
import type { CellDeps, HostDeps } from '../deps.ts'
import { queryValue } from '../paging.ts'
import { listHostServices, listHypervisors } from './host-services.ts'

const until = '2.42'
const rule = (name: string) => `os_compute_api:os-hosts:${name}`
type Request = ApiRequest<never>

const updateBody = Type.Object(
  {
    status: Type.Optional(
      Type.Unsafe<string>({
        type: 'string',
        pattern: '^([Ee][Nn][Aa][Bb][Ll][Ee]|[Dd][Ii][Ss][Aa][Bb][Ll][Ee])$',
      }),
    ),
    maintenance_mode: Type.Optional(
      Type.Unsafe<string>({
        type: 'string',
        pattern: '^([Ee][Nn][Aa][Bb][Ll][Ee]|[Dd][Ii][Ss][Aa][Bb][Ll][Ee])$',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)

export const hostRoutes: readonly Route<HostDeps>[] = [
  { get: '/os-hosts', until, policy: rule('list'), handler: list },
  { get: '/os-hosts/:host', until, policy: rule('show'), handler: show },
  { put: '/os-hosts/:host', until, policy: rule('update'), body: updateBody, handler: update },
  { get: '/os-hosts/:host/reboot', until, policy: rule('reboot'), handler: refusePower },
  { get: '/os-hosts/:host/shutdown', until, policy: rule('shutdown'), handler: refusePower },
  { get: '/os-hosts/:host/startup', until, policy: rule('start'), handler: refusePower },
]

async function list(request: Request, deps: CellDeps) {
  const zone = queryValue(request, 'zone') || undefined
  const services = await listHostServices(deps)
  return {
    hosts: services
      .filter((service) => zone === undefined || service.zone === zone)
      .map((service) => ({
        host_name: service.host,
        service: service.binary.replace(/^nova-/, ''),
        zone: service.zone,
      })),
  }
}

async function show(request: Request, deps: CellDeps) {
  const host = request.params['host']!
  const [found] = await listHypervisors(deps, { host })
  if (found === undefined) throw hostNotFound(host)
  const { node } = found
  const { instances } = await listReachableInstances(deps, { equals: { host } })
  const line = (project: string, cpu: number, memory_mb: number, disk_gb: number) => ({
    resource: { host, project, cpu, memory_mb, disk_gb },
  })
  const sum = (of: typeof instances, what: 'vcpus' | 'memory_mb') =>
    of.reduce((all, one) => all + one[what], 0)
  const disk = (of: typeof instances) => of.reduce((all, one) => all + one.root_gb + one.ephemeral_gb, 0)
  const lines = [
    line('(total)', node.vcpus, node.memory_mb, node.local_gb),
    line('(used_now)', node.vcpus_used, node.memory_mb_used, node.local_gb_used),
    line('(used_max)', sum(instances, 'vcpus'), sum(instances, 'memory_mb'), disk(instances)),
  ]
  for (const [project, its] of Map.groupBy(instances, (one) => one.project_id)) {
    lines.push(line(project, sum(its, 'vcpus'), sum(its, 'memory_mb'), disk(its)))
  }
  return { host: lines }
}

const hostNotFound = (host: string) =>
  new Fault('not-found', `Compute host ${host} could not be found.`, { host })

async function update(request: ApiRequest<{ status?: string; maintenance_mode?: string }>, deps: HostDeps) {
  const host = request.params['host']!
  const { status, maintenance_mode: mode } = request.body
  const [service] = await listHostServices(deps, { host, binary: 'nova-compute' })
  if (service === undefined) throw hostNotFound(host)
  if (mode !== undefined) {
    throw new Fault('not-implemented', 'Virt driver does not implement host maintenance mode.')
  }
  const enabled = status!.toLowerCase() === 'enable'
  await updateService(service.cell.db, service.uuid, {
    disabled: enabled ? 0 : 1,
    disabled_reason: enabled ? null : service.disabled_reason,
  })
  await deps.conductor.hostsChanged({})
  return { host, status: enabled ? 'enabled' : 'disabled' }
}

async function refusePower(request: Request, deps: CellDeps): Promise<never> {
  const host = request.params['host']!
  if ((await listHypervisors(deps, { host })).length === 0) throw hostNotFound(host)
  throw new Fault('not-implemented', 'Virt driver does not implement host power management.')
}
