import type { Db } from '../../base/db/database.ts'
import { byIds } from './by-ids.ts'
import type { Tables } from './tables.ts'

const readTags = byIds((db, ids) =>
  db.selectFrom('tags').selectAll().where('resource_id', 'in', ids).orderBy('tag'),
)

/** Tags by resource, sorted. */
export async function tagsOf(db: Db<Tables>, ids: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const row of await readTags(db, ids)) {
    const tags = found.get(row.resource_id)
    if (tags === undefined) found.set(row.resource_id, [row.tag])
    else tags.push(row.tag)
  }
  return found
}

/** Makes these the tags of a resource. */
export async function replaceTags(db: Db<Tables>, id: string, tags: readonly string[]): Promise<void> {
  await deleteTagsOf(db, [id])
  const rows = [...new Set(tags)].map((tag) => ({ resource_id: id, tag }))
  if (rows.length > 0) await db.insertInto('tags').values(rows).execute()
}

export async function deleteTagsOf(db: Db<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await db.deleteFrom('tags').where('resource_id', 'in', ids).execute()
}
