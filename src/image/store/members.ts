/** The projects an image is shared with. */
import { timestamp } from '../../base/clock.ts'
import { isUniqueViolation } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import type { ImageDb } from './images.ts'
import type { MemberRow } from './tables.ts'

/** Members of an image, oldest first; only one project's when given. */
export async function listMembers(db: ImageDb, imageId: string, member?: string): Promise<MemberRow[]> {
  let select = db.selectFrom('image_members').selectAll().where('image_id', '=', imageId)
  if (member !== undefined) select = select.where('member', '=', member)
  return select.orderBy('id').execute()
}

/** Adds a member in status `pending`; `conflict` when the project is one already. */
export async function insertMember(db: ImageDb, imageId: string, member: string): Promise<MemberRow> {
  const now = timestamp()
  try {
    await db
      .insertInto('image_members')
      .values({ image_id: imageId, member, status: 'pending', created_at: now, updated_at: now })
      .execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault(
      'conflict',
      `Member ${member} is duplicated for image ${imageId}`,
      { imageId, member },
      error,
    )
  }
  return (await listMembers(db, imageId, member))[0]!
}

export async function setMemberStatus(db: ImageDb, id: number, status: string): Promise<void> {
  await db
    .updateTable('image_members')
    .set({ status, updated_at: timestamp() })
    .where('id', '=', id)
    .execute()
}

export async function deleteMember(db: ImageDb, id: number): Promise<void> {
  await db.deleteFrom('image_members').where('id', '=', id).execute()
}
