/** Where the user wants the server: in a zone, on a host. */
import { Fault } from '../../../../base/errors.ts'
import type { ApiRequest } from '../../../../base/http/route.ts'
import { listAggregates } from '../../../store/aggregates.ts'
import { zonesOf } from '../../availability-zones/availability-zones.routes.ts'
import type { CellDeps } from '../../deps.ts'
import { listHostServices, listHypervisors } from '../../hosts/host-services.ts'
import type { NewServer } from './body.ts'

export interface Place {
  availabilityZone: string | null
  forceHost: string | null
  forceNode: string | null
  requestedHost: string | null
  requestedNode: string | null
}

/** `zone`, `zone:host`, `zone:host:node` or `zone::node`. */
export function parseZone(
  text: string | undefined,
): [zone: string | null, host: string | null, node: string | null] {
  const [zone, host, node, ...more] = (text ?? '').split(':')
  if (more.length > 0) throw new Fault('invalid', 'Invalid input received: Unable to parse availability_zone')
  return [zone || null, host || null, node || null]
}

export async function placeOf(request: ApiRequest<never>, deps: CellDeps, server: NewServer): Promise<Place> {
  const [zone, host, node] = parseZone(server.availability_zone)
  const { host: wishedHost, hypervisor_hostname: wishedNode } = server
  if (host !== null || node !== null) request.authorize('os_compute_api:servers:create:forced_host')
  if (wishedHost !== undefined || wishedNode !== undefined) {
    request.authorize('compute:servers:create:requested_destination')
    if (host !== null || node !== null) {
      throw new Fault(
        'invalid',
        'One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are mutually exclusive.',
      )
    }
    await assertThere(deps, wishedHost, wishedNode)
  }
  return {
    availabilityZone: await zoneFor(deps, zone, host),
    forceHost: host,
    forceNode: node,
    requestedHost: wishedHost ?? null,
    requestedNode: wishedNode ?? null,
  }
}

async function zoneFor(deps: CellDeps, zone: string | null, host: string | null): Promise<string | null> {
  if (host !== null) {
    // A host is in one zone: another that was named beside it is passed over.
    const aggregates = await listAggregates(deps.apiDb, { host })
    const its = aggregates.flatMap(({ metadata }) => metadata['availability_zone'] ?? [])[0]
    return zone === (its ?? deps.config.defaultAvailabilityZone) ? zone : null
  }
  if (zone === null) return deps.config.defaultScheduleZone
  const services = await listHostServices(deps, { binary: 'nova-compute' })
  if (zonesOf(services).some(({ zoneName, available }) => available && zoneName === zone)) return zone
  throw new Fault('invalid', 'The requested availability zone is not available')
}

async function assertThere(
  deps: CellDeps,
  host: string | undefined,
  node: string | undefined,
): Promise<void> {
  const found = await listHypervisors(deps, host === undefined ? {} : { host })
  if (found.some((one) => node === undefined || one.node.hypervisor_hostname === node)) return
  throw new Fault('invalid', `Compute host ${found.length > 0 ? node : (host ?? node)} could not be found.`)
}
