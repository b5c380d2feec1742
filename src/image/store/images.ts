/** Images with their properties and tags. A deleted image keeps its row, so that its id is never given again. */
import { timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import { type Db, isUniqueViolation } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import type { ImageRow, ImageTables } from './tables.ts'

export interface Image extends ImageRow {
  properties: Record<string, string>
  tags: string[]
}

export type ImageDb = Db<ImageTables>

/** Who looks: an admin sees all, everyone else what is theirs, public, community, or shared with their project. */
export interface Viewer {
  projectId: string | null
  isAdmin: boolean
}

const byIds = byIdsIn<ImageTables>()
const readProperties = byIds((db, ids) =>
  db.selectFrom('image_properties').select(['image_id', 'name', 'value']).where('image_id', 'in', ids),
)
const readTags = byIds((db, ids) =>
  db.selectFrom('image_tags').select(['image_id', 'value']).where('image_id', 'in', ids).orderBy('value'),
)
// An image once for each of its properties, at least once. Its tags with it would be a table that MariaDB keeps on disk.
const selectImage = statement((db: ImageDb, p: { id: string }) =>
  db
    .selectFrom('images')
    .leftJoin('image_properties as property', 'property.image_id', 'images.id')
    .selectAll('images')
    .select(['property.name as property_name', 'property.value as property_value'])
    .select((eb) =>
      eb
        .selectFrom('image_tags')
        .select(eb.fn.countAll<number>().as('count'))
        .whereRef('image_tags.image_id', '=', 'images.id')
        .as('tag_count'),
    )
    .where('images.id', '=', p.id)
    .where('images.deleted', '=', 0),
)

/** An image of any owner, or undefined when there is none (any more). */
export async function findImage(db: ImageDb, id: string): Promise<Image | undefined> {
  const { rows } = await selectImage(db, { id })
  const [first] = rows
  if (first === undefined) return undefined
  const { property_name: _name, property_value: _value, tag_count: count, ...row } = first
  const image: Image = { ...row, properties: {}, tags: [] }
  for (const { property_name: name, property_value: value } of rows)
    if (name !== null) image.properties[name] = value!
  if (Number(count) > 0) image.tags = (await readTags(db, [id])).map((tag) => tag.value)
  return image
}

/** The image if the viewer may see it; a foreign one is not found, as one that is not there. */
export async function getImage(db: ImageDb, id: string, viewer: Viewer): Promise<Image> {
  const image = await findImage(db, id)
  if (image === undefined || !(await isVisible(db, image, viewer))) {
    throw new Fault('not-found', `No image found with ID ${id}`, { id })
  }
  return image
}

async function isVisible(db: ImageDb, image: ImageRow, viewer: Viewer): Promise<boolean> {
  if (viewer.isAdmin || image.owner === null || image.owner === viewer.projectId) return true
  if (image.visibility === 'public' || image.visibility === 'community') return true
  if (image.visibility !== 'shared' || viewer.projectId === null) return false
  const member = await db
    .selectFrom('image_members')
    .select('id')
    .where('image_id', '=', image.id)
    .where('member', '=', viewer.projectId)
    .executeTakeFirst()
  return member !== undefined
}

/** Adds properties and tags to rows, in two queries for all of them. */
export async function withDetails(db: ImageDb, rows: readonly ImageRow[]): Promise<Image[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const properties = await readProperties(db, ids)
  const tags = await readTags(db, ids)
  const byId = new Map<string, Image>(rows.map((row) => [row.id, { ...row, properties: {}, tags: [] }]))
  for (const { image_id, name, value } of properties) byId.get(image_id)!.properties[name] = value
  for (const { image_id, value } of tags) byId.get(image_id)!.tags.push(value)
  return rows.map((row) => byId.get(row.id)!)
}

/** Waits, in a transaction, until no other changes the image, and keeps others waiting until it ends. */
export async function lockImage(db: ImageDb, id: string): Promise<void> {
  await db.selectFrom('images').select('id').where('id', '=', id).forUpdate().execute()
}

/** Writes a new image; `conflict` when the id was ever given. */
export async function insertImage(db: ImageDb, image: Image): Promise<void> {
  const { properties, tags, ...row } = image
  try {
    await db.insertInto('images').values(row).execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault('conflict', `Image ID ${image.id} already exists!`, { id: image.id }, error)
  }
  await insertDetails(db, image.id, properties, tags)
}

/** Writes an image anew that was read under `lockImage`: columns, properties and tags. */
export async function saveImage(db: ImageDb, image: Image): Promise<void> {
  const { properties, tags, id, created_at: _, ...columns } = image
  await db
    .updateTable('images')
    .set({ ...columns, updated_at: timestamp() })
    .where('id', '=', id)
    .execute()
  await db.deleteFrom('image_properties').where('image_id', '=', id).execute()
  await db.deleteFrom('image_tags').where('image_id', '=', id).execute()
  await insertDetails(db, id, properties, tags)
}

async function insertDetails(
  db: ImageDb,
  id: string,
  properties: Readonly<Record<string, string>>,
  tags: readonly string[],
): Promise<void> {
  const named = Object.entries(properties).map(([name, value]) => ({ image_id: id, name, value }))
  if (named.length > 0) await db.insertInto('image_properties').values(named).execute()
  const tagged = [...new Set(tags)].map((value) => ({ image_id: id, value }))
  if (tagged.length > 0) await db.insertInto('image_tags').values(tagged).execute()
}

/** Compare-and-swap of the status, with other columns; false when the image is no longer in `from`. */
export async function moveImage(
  db: ImageDb,
  id: string,
  from: string,
  to: string,
  columns: Partial<ImageRow> = {},
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('images')
    .set({ ...columns, status: to, updated_at: timestamp() })
    .where('id', '=', id)
    .where('status', '=', from)
    .where('deleted', '=', 0)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Sets a property, or takes it away with undefined. */
export async function setProperty(
  db: ImageDb,
  id: string,
  name: string,
  value: string | undefined,
): Promise<void> {
  await db.deleteFrom('image_properties').where('image_id', '=', id).where('name', '=', name).execute()
  if (value !== undefined)
    await db.insertInto('image_properties').values({ image_id: id, name, value }).execute()
}

/** Marks an image deleted and forgets its properties, tags and members; false when it already was. */
export async function deleteImage(db: ImageDb, id: string): Promise<boolean> {
  const now = timestamp()
  const { numUpdatedRows } = await db
    .updateTable('images')
    .set({ status: 'deleted', deleted: 1, deleted_at: now, updated_at: now })
    .where('id', '=', id)
    .where('deleted', '=', 0)
    .executeTakeFirst()
  for (const table of ['image_properties', 'image_tags', 'image_members'] as const) {
    await db.deleteFrom(table).where('image_id', '=', id).execute()
  }
  return numUpdatedRows === 1n
}
