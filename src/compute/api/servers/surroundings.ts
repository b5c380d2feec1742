/** What a server's view shows that is not the server's own: read once for all servers of a list. */
import type { ApiRequest } from '../../../base/http/route.ts'
import { listHostZones } from '../../store/aggregates.ts'
import type { Instance } from '../../store/instance-records.ts'
import { listPinnedZones } from '../../store/request-specs.ts'
import type { ServiceState } from '../../store/seen-instances.ts'
import { computeServicesOf, isUp } from '../../store/services.ts'
import type { CellDeps, NetworkDeps } from '../deps.ts'

export interface ServerSurroundings {
  zoneOf(instance: Instance): string
  /** `UP`, `DOWN`, `UNKNOWN`, `MAINTENANCE`, or empty without a host. */
  hostStatusOf(instance: Instance): string
  securityGroups: ReadonlyMap<string, { name: string }[]>
  /** Undefined where the answer has none: in lists. */
  serverGroupsOf: ((uuid: string) => string[]) | undefined
  pinnedZoneOf(uuid: string): string | null
  /** Whether user data is shown: not in lists. */
  userData: boolean
}

export async function readSurroundings(
  request: ApiRequest<never>,
  deps: CellDeps & NetworkDeps,
  instances: readonly Instance[],
): Promise<ServerSurroundings> {
  const { apiDb, config } = deps
  const living = instances.filter(({ deleted }) => deleted === 0).map(({ uuid }) => uuid)
  const [zones, statusOf, securityGroups, pinned] = await Promise.all([
    instances.some(({ host }) => host !== null) ? listHostZones(apiDb) : new Map<string, string>(),
    readHostStatuses(request, deps, instances),
    readSecurityGroups(request, deps, instances.filter(mayHavePorts)),
    request.atLeast('2.96') ? listPinnedZones(apiDb, living) : new Map<string, string>(),
  ])
  return {
    zoneOf: ({ host, availability_zone }) =>
      host === null ? (availability_zone ?? '') : (zones.get(host) ?? config.defaultAvailabilityZone),
    hostStatusOf: ({ host }) => (host === null ? '' : (statusOf.get(host) ?? 'UNKNOWN')),
    securityGroups,
    serverGroupsOf: undefined,
    pinnedZoneOf: (uuid) => pinned.get(uuid) ?? null,
    userData: false,
  }
}

// The ports of a server that is being built are noted as soon as they are made. Who waits for it asks often.
export const mayHavePorts = ({ vm_state, networkInfo, deleted }: Instance): boolean =>
  deleted === 0 && (vm_state !== 'building' || networkInfo.length > 0)

async function readHostStatuses(
  request: ApiRequest<never>,
  deps: CellDeps,
  instances: readonly Instance[],
): Promise<Map<string, string>> {
  const isShown =
    request.can('os_compute_api:servers:show:host_status') ||
    request.can('os_compute_api:servers:show:host_status:unknown-only')
  const hosts = [...new Set(instances.flatMap(({ host }) => host ?? []))]
  if (!isShown || !request.atLeast('2.16') || hosts.length === 0) return new Map()
  const cells = [...new Set(instances.flatMap(({ cell }) => cell ?? []))]
  const services = await Promise.all(cells.map((cell) => computeServicesOf(cell.db, hosts)))
  const { serviceDownSeconds } = deps.config
  const found = services.flatMap((byHost) => [...byHost.values()])
  return new Map(found.map((service) => [service.host, hostStatus(service, serviceDownSeconds)]))
}

export function hostStatus(service: ServiceState, downSeconds: number): string {
  if (service.forced_down === 1) return 'DOWN'
  if (!isUp(service, downSeconds)) return 'UNKNOWN'
  return service.disabled === 1 ? 'MAINTENANCE' : 'UP'
}

/** The names of the groups on each server's ports, two calls to Network for all servers. */
async function readSecurityGroups(
  request: ApiRequest<never>,
  deps: NetworkDeps,
  instances: readonly Instance[],
): Promise<ReadonlyMap<string, { name: string }[]>> {
  const uuids = instances.map(({ uuid }) => uuid)
  if (uuids.length === 0) return new Map()
  return await deps.networkFor(request.context.token).securityGroupsByDevice(uuids)
}
