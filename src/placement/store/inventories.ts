import { timestamp } from '../../base/clock.ts'
import { Fault } from '../../base/errors.ts'
import { errorCodes } from '../error-codes.ts'
import { nextRevision } from './changes.ts'
import { bumpGeneration } from './providers.ts'
import { getResourceClassIds } from './resource-classes.ts'
import type { PlacementDb } from './tables.ts'

export interface Inventory {
  total: number
  reserved: number
  min_unit: number
  max_unit: number
  step_size: number
  allocation_ratio: number
}

export interface StoredInventory extends Inventory {
  resourceClass: string
  createdAt: string
  updatedAt: string | null
}

/** What an inventory has that is not said. */
export const inventoryDefaults = {
  reserved: 0,
  min_unit: 1,
  max_unit: 2_147_483_647,
  step_size: 1,
  allocation_ratio: 1,
} as const

/** How much can be handed out. */
export const capacityOf = (inventory: Inventory): number =>
  Math.trunc((inventory.total - inventory.reserved) * inventory.allocation_ratio)

/** All inventories of a provider. */
export async function listInventories(db: PlacementDb, providerId: number): Promise<StoredInventory[]> {
  const rows = await db
    .selectFrom('inventories as i')
    .innerJoin('resource_classes as c', 'c.id', 'i.resource_class_id')
    .select(['i.total', 'i.reserved', 'i.min_unit', 'i.max_unit', 'i.step_size', 'i.allocation_ratio'])
    .select(['c.name as resourceClass', 'i.created_at as createdAt', 'i.updated_at as updatedAt'])
    .where('i.resource_provider_id', '=', providerId)
    .orderBy('i.resource_class_id')
    .execute()
  return rows
}

interface ProviderRef {
  id: number
  uuid: string
  generation: number
}

/** Makes the inventories of a provider be these, by resource class. Runs in a transaction. */
export async function setInventories(
  db: PlacementDb,
  provider: ProviderRef,
  inventories: ReadonlyMap<string, Inventory>,
): Promise<void> {
  const ids = await getResourceClassIds(db, [...inventories.keys()])
  const known = await db
    .selectFrom('inventories')
    .select('resource_class_id')
    .where('resource_provider_id', '=', provider.id)
    .execute()
  const existing = new Set(known.map((row) => row.resource_class_id))
  const gone = existing.difference(new Set(ids.values()))
  if (gone.size > 0) await removeInventories(db, provider, [...gone])
  const now = timestamp()
  for (const [name, inventory] of inventories) {
    const classId = ids.get(name)!
    if (existing.has(classId)) {
      await db
        .updateTable('inventories')
        .set({ ...pick(inventory), updated_at: now })
        .where('resource_provider_id', '=', provider.id)
        .where('resource_class_id', '=', classId)
        .execute()
    } else await insert(db, provider.id, classId, inventory)
  }
  await nextRevision(db)
  await bumpGeneration(db, provider)
}

/** Adds an inventory of a class the provider does not have yet. Runs in a transaction. */
export async function addInventory(
  db: PlacementDb,
  provider: ProviderRef,
  resourceClass: string,
  inventory: Inventory,
): Promise<void> {
  const classId = (await getResourceClassIds(db, [resourceClass])).get(resourceClass)!
  if (await has(db, provider.id, classId)) {
    throw new Fault(
      'conflict',
      `Update conflict: there is an inventory of ${resourceClass} on resource provider ${provider.uuid} already.`,
      { code: errorCodes.concurrentUpdate },
    )
  }
  await insert(db, provider.id, classId, inventory)
  await nextRevision(db)
  await bumpGeneration(db, provider)
}

/** Changes the inventory of a class the provider has. Runs in a transaction. */
export async function updateInventory(
  db: PlacementDb,
  provider: ProviderRef,
  resourceClass: string,
  inventory: Inventory,
): Promise<void> {
  const classId = (await getResourceClassIds(db, [resourceClass])).get(resourceClass)!
  if (!(await has(db, provider.id, classId))) {
    throw new Fault(
      'invalid',
      `No inventory record with resource class for resource provider ${provider.uuid}: No inventory of class ${resourceClass} found.`,
    )
  }
  await db
    .updateTable('inventories')
    .set({ ...pick(inventory), updated_at: timestamp() })
    .where('resource_provider_id', '=', provider.id)
    .where('resource_class_id', '=', classId)
    .execute()
  await nextRevision(db)
  await bumpGeneration(db, provider)
}

/** Removes the inventory of one class. Runs in a transaction. */
export async function deleteInventory(
  db: PlacementDb,
  provider: ProviderRef,
  resourceClass: string,
): Promise<void> {
  const classId = (await getResourceClassIds(db, [resourceClass])).get(resourceClass)!
  if (!(await has(db, provider.id, classId))) {
    throw new Fault('not-found', `No inventory of class ${resourceClass} found for delete`)
  }
  await removeInventories(db, provider, [classId])
  await nextRevision(db)
  await bumpGeneration(db, provider)
}

async function removeInventories(
  db: PlacementDb,
  provider: ProviderRef,
  classIds: readonly number[],
): Promise<void> {
  const used = await db
    .selectFrom('allocations as a')
    .innerJoin('resource_classes as c', 'c.id', 'a.resource_class_id')
    .select('c.name')
    .distinct()
    .where('a.resource_provider_id', '=', provider.id)
    .where('a.resource_class_id', 'in', classIds)
    .execute()
  if (used.length > 0) {
    const names = used.map((row) => row.name).join(', ')
    throw new Fault('conflict', `Inventory for '${names}' on resource provider '${provider.uuid}' in use.`, {
      code: errorCodes.inventoryInUse,
    })
  }
  await db
    .deleteFrom('inventories')
    .where('resource_provider_id', '=', provider.id)
    .where('resource_class_id', 'in', classIds)
    .execute()
}

async function has(db: PlacementDb, providerId: number, classId: number): Promise<boolean> {
  const row = await db
    .selectFrom('inventories')
    .select('id')
    .where('resource_provider_id', '=', providerId)
    .where('resource_class_id', '=', classId)
    .executeTakeFirst()
  return row !== undefined
}

async function insert(
  db: PlacementDb,
  providerId: number,
  classId: number,
  inventory: Inventory,
): Promise<void> {
  await db
    .insertInto('inventories')
    .values({
      resource_provider_id: providerId,
      resource_class_id: classId,
      ...pick(inventory),
      created_at: timestamp(),
      updated_at: null,
    })
    .execute()
}

const pick = (inventory: Inventory): Inventory => ({
  total: inventory.total,
  reserved: inventory.reserved,
  min_unit: inventory.min_unit,
  max_unit: inventory.max_unit,
  step_size: inventory.step_size,
  allocation_ratio: inventory.allocation_ratio,
})
