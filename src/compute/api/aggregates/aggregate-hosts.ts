/** Which hosts are in an aggregate; Placement is told, since requests can ask for members of one. */
import { Fault } from '../../../base/errors.ts'
import {
  type Aggregate,
  addAggregateHost,
  getAggregate,
  listAggregates,
  removeAggregateHost,
} from '../../store/aggregates.ts'
import { listInstances } from '../../store/list-instances.ts'
import type { HostDeps } from '../deps.ts'
import { listHypervisors } from '../hosts/host-services.ts'

export async function addHost(deps: HostDeps, id: number, host: string): Promise<Aggregate> {
  const aggregate = await getAggregate(deps.apiDb, id)
  const nodes = await listHypervisors(deps, { host })
  if (nodes.length === 0) throw new Fault('not-found', `Compute host ${host} could not be found.`, { host })
  const zone = aggregate.metadata['availability_zone']
  if (zone !== undefined) {
    await assertOneZone(deps, { ...aggregate, hosts: [host] }, zone, (reason) => {
      return new Fault('conflict', `Cannot add host to aggregate ${id}. Reason: ${reason}.`)
    })
  }
  if (!(await addAggregateHost(deps.apiDb, id, host))) {
    throw new Fault('conflict', `Aggregate ${id} already has host ${host}.`)
  }
  for (const { node } of nodes) {
    const known = await deps.placement.getAggregates(node.uuid)
    await deps.placement.setAggregates(node.uuid, [...new Set([...known, aggregate.uuid])])
  }
  await deps.conductor.hostsChanged({})
  return await getAggregate(deps.apiDb, id)
}

export async function removeHost(deps: HostDeps, id: number, host: string): Promise<Aggregate> {
  const aggregate = await getAggregate(deps.apiDb, id)
  if (!(await removeAggregateHost(deps.apiDb, id, host))) {
    throw new Fault('not-found', `Cannot remove host ${host} in aggregate ${id}`)
  }
  for (const { node } of await listHypervisors(deps, { host })) {
    const known = await deps.placement.getAggregates(node.uuid)
    await deps.placement.setAggregates(
      node.uuid,
      known.filter((uuid) => uuid !== aggregate.uuid),
    )
  }
  await deps.conductor.hostsChanged({})
  return await getAggregate(deps.apiDb, id)
}

/** A zone can be changed only where no host would be in two, and no server is in the old one. */
export async function assertZoneFits(
  deps: HostDeps,
  id: number,
  zone: string | null,
  doing: string,
): Promise<void> {
  const aggregate = await getAggregate(deps.apiDb, id)
  const refuse = (reason: string) => new Fault('invalid', `${doing} ${id}. Reason: ${reason}.`)
  if (zone === '') throw refuse(`Aggregate ${id} does not support empty named availability zone`)
  if (aggregate.hosts.length === 0 || zone === (aggregate.metadata['availability_zone'] ?? null)) return
  if (zone !== null) await assertOneZone(deps, aggregate, zone, refuse)
  const equals = { host: aggregate.hosts }
  if ((await listInstances(deps, { equals }, { sort: [], limit: 1 })).length > 0) {
    throw refuse('One or more hosts contain instances in this zone')
  }
}

async function assertOneZone(
  deps: HostDeps,
  aggregate: Aggregate,
  zone: string,
  refuse: (reason: string) => Fault,
): Promise<void> {
  const others = (await listAggregates(deps.apiDb)).filter((other) => other.id !== aggregate.id)
  const zones = new Set<string>()
  for (const other of others) {
    const its = other.metadata['availability_zone']
    if (its === undefined || its === zone) continue
    if (other.hosts.some((host) => aggregate.hosts.includes(host))) zones.add(its)
  }
  if (zones.size === 0) return
  const names = `[${[...zones].map((name) => `'${name}'`).join(', ')}]`
  throw refuse(`One or more hosts already in availability zone(s) ${names}`)
}
