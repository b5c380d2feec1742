/** Which policy holds for an endpoint, for a service, or for a service in a region. */
import type { Db } from '#base/db/database.ts'
import { newHexId } from '#base/ids.ts'
import { type EndpointRow, listEndpoints, listRegions } from './catalog.ts'
import type { Tables } from './tables.ts'

/** An endpoint alone, a service alone, or a service and a region. */
export interface PolicyPlace {
  endpointId?: string
  serviceId?: string
  regionId?: string
}

interface Association {
  policy_id: string
  endpoint_id: string | null
  service_id: string | null
  region_id: string | null
}

const columnsOf = ({ endpointId, serviceId, regionId }: PolicyPlace) => ({
  endpoint_id: endpointId ?? null,
  service_id: serviceId ?? null,
  region_id: regionId ?? null,
})

/** The policy of exactly this place. */
export async function policyIdOf(db: Db<Tables>, place: PolicyPlace): Promise<string | undefined> {
  let query = db.selectFrom('policy_association').select('policy_id')
  for (const [column, id] of Object.entries(columnsOf(place)) as [keyof Association, string | null][]) {
    query = id === null ? query.where(column, 'is', null) : query.where(column, '=', id)
  }
  return (await query.executeTakeFirst())?.policy_id
}

/** A place has one policy: the last that was set. */
export async function associatePolicy(db: Db<Tables>, policyId: string, place: PolicyPlace): Promise<void> {
  const before = await policyIdOf(db, place)
  if (before === policyId) return
  if (before !== undefined) await removeAssociation(db, before, place)
  const row = { id: newHexId(), policy_id: policyId, ...columnsOf(place) }
  await db.insertInto('policy_association').values(row).execute()
}

/** False when there was none. */
export async function removeAssociation(
  db: Db<Tables>,
  policyId: string,
  place: PolicyPlace,
): Promise<boolean> {
  let query = db.deleteFrom('policy_association').where('policy_id', '=', policyId)
  for (const [column, id] of Object.entries(columnsOf(place)) as [keyof Association, string | null][]) {
    query = id === null ? query.where(column, 'is', null) : query.where(column, '=', id)
  }
  return (await query.executeTakeFirst()).numDeletedRows > 0n
}

/** The endpoints that the places of a policy come down to; those of a region are also those of the regions in it. */
export async function endpointsOfPolicy(db: Db<Tables>, policyId: string): Promise<EndpointRow[]> {
  const associations = await db
    .selectFrom('policy_association')
    .selectAll()
    .where('policy_id', '=', policyId)
    .execute()
  const endpoints = await listEndpoints(db)
  const parents = await parentsOfRegions(db)
  const holds = (endpoint: EndpointRow) => (one: Association) =>
    one.endpoint_id === endpoint.id ||
    (one.service_id === endpoint.service_id &&
      (one.region_id === null || withParents(endpoint.region_id, parents).includes(one.region_id)))
  return endpoints.filter((endpoint) => associations.some(holds(endpoint)))
}

/** The nearest counts: the endpoint's own, then that of its service in its region or those around it, then the service's. */
export async function policyIdFor(db: Db<Tables>, endpoint: EndpointRow): Promise<string | undefined> {
  const serviceId = endpoint.service_id
  const regions = withParents(endpoint.region_id, await parentsOfRegions(db))
  const places: PolicyPlace[] = [
    { endpointId: endpoint.id },
    ...regions.map((regionId) => ({ serviceId, regionId })),
    { serviceId },
  ]
  for (const place of places) {
    const found = await policyIdOf(db, place)
    if (found !== undefined) return found
  }
  return undefined
}

async function parentsOfRegions(db: Db<Tables>): Promise<ReadonlyMap<string, string | null>> {
  return new Map((await listRegions(db)).map((region) => [region.id, region.parent_region_id]))
}

/** The region, the one it is in, and so on. */
function withParents(regionId: string | null, parents: ReadonlyMap<string, string | null>): string[] {
  const found: string[] = []
  for (let id = regionId; id !== null && !found.includes(id); id = parents.get(id) ?? null) found.push(id)
  return found
}
