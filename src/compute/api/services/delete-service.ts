import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { listAggregates } from '../../store/aggregates.ts'
import { deleteHostMapping } from '../../store/cells.ts'
import { deleteComputeNodes, listComputeNodes } from '../../store/compute-nodes.ts'
import { listReachableInstances } from '../../store/list-instances.ts'
import { deleteService } from '../../store/services.ts'
import { removeHost } from '../aggregates/aggregate-hosts.ts'
import type { HostDeps } from '../deps.ts'
import { type HostService, listHostServices } from '../hosts/host-services.ts'
import { getService } from './update-service.ts'

/** Forgets a service; a compute service only when it hosts nothing, and then all that is known of its host. */
export async function deleteHostService(request: ApiRequest<never>, deps: HostDeps): Promise<void> {
  const service = await serviceOf(request, deps)
  const { host } = service
  const { db } = service.cell
  if (service.binary === 'nova-compute') {
    // The cell of the service could be asked, and no other has servers on its host.
    const page = { sort: [], limit: 1 }
    const { instances } = await listReachableInstances(deps, { equals: { host } }, page)
    if (instances.length > 0) {
      throw new Fault(
        'conflict',
        'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
      )
    }
    for (const { id } of await listAggregates(deps.apiDb, { host })) await removeHost(deps, id, host)
    for (const node of await listComputeNodes(db, { host })) await deps.placement.deleteProvider(node.uuid)
    await deleteComputeNodes(db, host)
    await deleteHostMapping(deps.apiDb, host)
  }
  await deleteService(db, service.uuid)
  await deps.conductor.hostsChanged({})
}

async function serviceOf(request: ApiRequest<never>, deps: HostDeps): Promise<HostService> {
  const id = request.params['id']!
  if (request.atLeast('2.53')) return await getService(deps, id)
  if (!/^\d+$/.test(id)) throw new Fault('invalid', 'Invalid input received: id must be an integer')
  const found = (await listHostServices(deps)).filter((service) => service.id === Number(id))
  if (found.length === 0) throw new Fault('not-found', `Service ${id} not found.`)
  if (found.length > 1) throw new Fault('invalid', `Service id ${id} refers to multiple services.`)
  return found[0]!
}
