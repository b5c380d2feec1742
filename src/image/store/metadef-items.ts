/** Objects, properties and tags of a namespace: three tables of one form. */
import { timestamp } from '../../base/clock.ts'
import { isUniqueViolation } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import type { ImageDb } from './images.ts'
import type { MetadefItemRow } from './tables.ts'

export type ItemKind = 'objects' | 'properties' | 'tags'

export interface Item {
  name: string
  [field: string]: unknown
}

const tables = {
  objects: 'metadef_objects',
  properties: 'metadef_properties',
  tags: 'metadef_tags',
} as const

/** Items of a namespace, oldest first; only one when named. */
export async function listItems(
  db: ImageDb,
  kind: ItemKind,
  namespaceId: number,
  name?: string,
): Promise<MetadefItemRow[]> {
  let select = db.selectFrom(tables[kind]).selectAll().where('namespace_id', '=', namespaceId)
  if (name !== undefined) select = select.where('name', '=', name)
  return select.orderBy('id').execute()
}

export async function insertItem(
  db: ImageDb,
  kind: ItemKind,
  namespaceId: number,
  item: Item,
): Promise<MetadefItemRow> {
  const { name, ...rest } = item
  const now = timestamp()
  const row = {
    namespace_id: namespaceId,
    name,
    json_schema: JSON.stringify(rest),
    created_at: now,
    updated_at: now,
  }
  await unlessTaken(kind, name, db.insertInto(tables[kind]).values(row).execute())
  return (await listItems(db, kind, namespaceId, name))[0]!
}

export async function updateItem(
  db: ImageDb,
  kind: ItemKind,
  row: MetadefItemRow,
  item: Item,
): Promise<MetadefItemRow> {
  const { name, ...rest } = item
  const changed = { name, json_schema: JSON.stringify(rest), updated_at: timestamp() }
  await unlessTaken(kind, name, db.updateTable(tables[kind]).set(changed).where('id', '=', row.id).execute())
  return { ...row, ...changed }
}

/** Removes one item of a namespace, or all of a kind. */
export async function deleteItems(
  db: ImageDb,
  kind: ItemKind,
  namespaceId: number,
  name?: string,
): Promise<void> {
  let statement = db.deleteFrom(tables[kind]).where('namespace_id', '=', namespaceId)
  if (name !== undefined) statement = statement.where('name', '=', name)
  await statement.execute()
}

async function unlessTaken(kind: ItemKind, name: string, writing: Promise<unknown>): Promise<void> {
  try {
    await writing
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault(
      'conflict',
      `The name ${name} is taken among the ${kind} of the namespace.`,
      { name },
      error,
    )
  }
}
