/** Services, their endpoints, and regions. */
import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { EndpointTable, RegionTable, ServiceTable, Tables } from './tables.ts'

export type ServiceRow = ServiceTable
export type EndpointRow = EndpointTable
export type RegionRow = RegionTable

export async function getService(db: Db<Tables>, id: string): Promise<ServiceRow> {
  const row = await db.selectFrom('service').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Fault('not-found', `Could not find service: ${id}.`, { id })
  return row
}

export async function listServices(db: Db<Tables>, filter: { type?: string } = {}): Promise<ServiceRow[]> {
  let query = db.selectFrom('service').selectAll().orderBy('type').orderBy('id')
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  return query.execute()
}

export async function insertService(db: Db<Tables>, row: ServiceRow): Promise<void> {
  await db.insertInto('service').values(row).execute()
}

export async function updateService(db: Db<Tables>, id: string, change: Partial<ServiceRow>): Promise<void> {
  await db.updateTable('service').set(change).where('id', '=', id).execute()
}

/** Its endpoints go with it. */
export async function removeService(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('service').where('id', '=', id).execute()
}

export async function getEndpoint(db: Db<Tables>, id: string): Promise<EndpointRow> {
  const row = await db.selectFrom('endpoint').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Fault('not-found', `Could not find endpoint: ${id}.`, { id })
  return row
}

export async function listEndpoints(
  db: Db<Tables>,
  filter: { serviceId?: string; interface?: string; regionId?: string } = {},
): Promise<EndpointRow[]> {
  let query = db.selectFrom('endpoint').selectAll().orderBy('id')
  if (filter.serviceId !== undefined) query = query.where('service_id', '=', filter.serviceId)
  if (filter.interface !== undefined) query = query.where('interface', '=', filter.interface)
  if (filter.regionId !== undefined) query = query.where('region_id', '=', filter.regionId)
  return query.execute()
}

export async function insertEndpoint(db: Db<Tables>, row: EndpointRow): Promise<void> {
  await db.insertInto('endpoint').values(row).execute()
}

export async function updateEndpoint(
  db: Db<Tables>,
  id: string,
  change: Partial<EndpointRow>,
): Promise<void> {
  await db.updateTable('endpoint').set(change).where('id', '=', id).execute()
}

export async function removeEndpoint(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('endpoint').where('id', '=', id).execute()
}

export async function findRegion(db: Db<Tables>, id: string): Promise<RegionRow | undefined> {
  return db.selectFrom('region').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getRegion(db: Db<Tables>, id: string): Promise<RegionRow> {
  const row = await findRegion(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find region: ${id}.`, { id })
  return row
}

export async function listRegions(db: Db<Tables>, filter: { parentId?: string } = {}): Promise<RegionRow[]> {
  let query = db.selectFrom('region').selectAll().orderBy('id')
  if (filter.parentId !== undefined) query = query.where('parent_region_id', '=', filter.parentId)
  return query.execute()
}

export async function insertRegion(db: Db<Tables>, row: RegionRow): Promise<void> {
  await db
    .insertInto('region')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      throw new Fault('conflict', `Conflict occurred attempting to store region - Duplicate ID, ${row.id}.`)
    })
}

export async function updateRegion(db: Db<Tables>, id: string, change: Partial<RegionRow>): Promise<void> {
  await db.updateTable('region').set(change).where('id', '=', id).execute()
}

export async function removeRegion(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('region').where('id', '=', id).execute()
}
