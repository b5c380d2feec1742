import { showMicroseconds } from '../../../base/clock.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { CellDeps } from '../deps.ts'
import { type HostService, listHostServices } from '../hosts/host-services.ts'

export const availabilityZoneRoutes: readonly Route<CellDeps>[] = [
  { get: '/os-availability-zone', policy: 'os_compute_api:os-availability-zone:list', handler: list },
  {
    get: '/os-availability-zone/detail',
    policy: 'os_compute_api:os-availability-zone:detail',
    handler: listInDetail,
  },
]

async function list(_request: ApiRequest<never>, deps: CellDeps) {
  const services = await listHostServices(deps, { binary: 'nova-compute' })
  return {
    availabilityZoneInfo: zonesOf(services).map(({ zoneName, available }) => ({
      zoneName,
      zoneState: { available },
      hosts: null,
    })),
  }
}

async function listInDetail(_request: ApiRequest<never>, deps: CellDeps) {
  const services = await listHostServices(deps)
  return {
    availabilityZoneInfo: zonesOf(services).map(({ zoneName, available }) => ({
      zoneName,
      zoneState: { available },
      hosts: available ? hostsOf(services.filter((service) => service.zone === zoneName)) : {},
    })),
  }
}

/** The zones that an enabled host is in are available, those with disabled ones only are not. */
export function zonesOf(services: readonly HostService[]): { zoneName: string; available: boolean }[] {
  const available = new Set(services.filter((service) => service.disabled === 0).map(({ zone }) => zone))
  const others = new Set(services.map(({ zone }) => zone).filter((zone) => !available.has(zone)))
  return [
    ...[...available].sort().map((zoneName) => ({ zoneName, available: true })),
    ...[...others].sort().map((zoneName) => ({ zoneName, available: false })),
  ]
}

function hostsOf(services: readonly HostService[]) {
  const hosts: Record<string, Record<string, object>> = {}
  for (const service of services.filter((one) => one.disabled === 0)) {
    const { host, binary, up, updated_at } = service
    const its = hosts[host] ?? {}
    hosts[host] = its
    its[binary] = {
      active: true,
      available: up,
      updated_at: updated_at === null ? null : showMicroseconds(updated_at),
    }
  }
  return hosts
}
