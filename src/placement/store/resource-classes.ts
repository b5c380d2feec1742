import { timestamp } from '../../base/clock.ts'
import { isUniqueViolation } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import { standardResourceClasses } from '../standard/resource-classes.ts'
import { markNames } from './changes.ts'
import type { PlacementDb } from './tables.ts'

/** Ids below are for standard classes, as in OpenStack's database. */
const firstCustomId = 10_000

export interface ResourceClass {
  id: number
  name: string
  createdAt: string
  updatedAt: string | null
}

const columns = ['id', 'name', 'created_at as createdAt', 'updated_at as updatedAt'] as const

/** Writes the standard classes that the database does not have yet. Runs in a transaction. */
export async function syncResourceClasses(db: PlacementDb): Promise<void> {
  const known = new Set((await listResourceClasses(db)).map((row) => row.name))
  const missing = standardResourceClasses
    .map((name, id) => ({ id, name, created_at: timestamp(), updated_at: null }))
    .filter((row) => !known.has(row.name))
  if (missing.length > 0) await db.insertInto('resource_classes').values(missing).execute()
}

export const listResourceClasses = (db: PlacementDb): Promise<ResourceClass[]> =>
  db.selectFrom('resource_classes').select(columns).orderBy('id').execute()

/** The class, or undefined. */
export const findResourceClass = (db: PlacementDb, name: string): Promise<ResourceClass | undefined> =>
  db.selectFrom('resource_classes').select(columns).where('name', '=', name).executeTakeFirst()

/** The class; throws `not-found`. */
export async function getResourceClass(db: PlacementDb, name: string): Promise<ResourceClass> {
  const found = await findResourceClass(db, name)
  if (found === undefined) throw noSuchClass(name)
  return found
}

/** Name → id; throws `not-found` when one of them does not exist. */
export async function getResourceClassIds(
  db: PlacementDb,
  names: readonly string[],
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await db
    .selectFrom('resource_classes')
    .select(['id', 'name'])
    .where('name', 'in', names)
    .execute()
  const ids = new Map(rows.map((row) => [row.name, row.id]))
  for (const name of names) if (!ids.has(name)) throw noSuchClass(name)
  return ids
}

export const noSuchClass = (name: string): Fault =>
  new Fault('not-found', `No such resource class ${name}.`, { resourceClass: name })

/** Adds a custom class; false when there is one of that name. Runs in a transaction. */
export async function insertResourceClass(db: PlacementDb, name: string): Promise<boolean> {
  if ((await findResourceClass(db, name)) !== undefined) return false
  const last = await db
    .selectFrom('resource_classes')
    .select((eb) => eb.fn.max('id').as('id'))
    .executeTakeFirstOrThrow()
  const id = Math.max(firstCustomId, (last.id ?? 0) + 1)
  await db
    .insertInto('resource_classes')
    .values({ id, name, created_at: timestamp(), updated_at: null })
    .execute()
  await markNames(db)
  return true
}

/** Renames a custom class. Runs in a transaction. */
export async function renameResourceClass(db: PlacementDb, name: string, newName: string): Promise<void> {
  const found = await getResourceClass(db, name)
  if (found.id < firstCustomId) throw new Fault('invalid', `Cannot update standard resource class ${name}`)
  try {
    await db
      .updateTable('resource_classes')
      .set({ name: newName, updated_at: timestamp() })
      .where('id', '=', found.id)
      .execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault('conflict', `Resource class already exists: ${newName}`, {}, error)
  }
  await markNames(db)
}

/** Removes a custom class that no inventory uses. Runs in a transaction. */
export async function deleteResourceClass(db: PlacementDb, name: string): Promise<void> {
  const found = await getResourceClass(db, name)
  const refusal = 'Error in delete resource class:'
  if (found.id < firstCustomId)
    throw new Fault('invalid', `${refusal} Cannot delete standard resource class ${name}.`)
  const used = await db
    .selectFrom('inventories')
    .select('id')
    .where('resource_class_id', '=', found.id)
    .executeTakeFirst()
  if (used !== undefined)
    throw new Fault(
      'conflict',
      `${refusal} Cannot delete resource class ${name}. Class is in use in inventory.`,
    )
  await db.deleteFrom('resource_classes').where('id', '=', found.id).execute()
  await markNames(db)
}
