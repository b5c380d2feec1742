import type { Db } from '../../base/db/database.ts'
import type { CellTables } from './cell-tables.ts'
import { notePartsChanged } from './instance-changes.ts'

export async function readTags(db: Db<CellTables>, uuid: string): Promise<string[]> {
  const rows = await db
    .selectFrom('tags')
    .select('tag')
    .where('resource_id', '=', uuid)
    .orderBy('tag')
    .execute()
  return rows.map(({ tag }) => tag)
}

/** Replaces all of a server's tags: in a transaction. */
export async function setTags(db: Db<CellTables>, uuid: string, tags: readonly string[]): Promise<void> {
  await notePartsChanged(db, uuid)
  await db.deleteFrom('tags').where('resource_id', '=', uuid).execute()
  const rows = [...new Set(tags)].map((tag) => ({ resource_id: uuid, tag }))
  if (rows.length > 0) await db.insertInto('tags').values(rows).execute()
}
