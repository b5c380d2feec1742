import type { Db } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { Tables, TrustTable } from './tables.ts'

export type TrustRow = TrustTable

/** A trust that was not deleted, whether or not it has run out. */
export async function findTrust(db: Db<Tables>, id: string): Promise<TrustRow | undefined> {
  return db
    .selectFrom('trust')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

/** A trust that can still be used. */
export async function getTrust(db: Db<Tables>, id: string, now: string): Promise<TrustRow> {
  const row = await findTrust(db, id)
  if (row === undefined || hasEnded(row, now)) {
    throw new Fault('not-found', `Could not find trust: ${id}.`, { id })
  }
  return row
}

export const hasEnded = (trust: TrustRow, now: string): boolean =>
  (trust.expires_at !== null && trust.expires_at <= now) || trust.remaining_uses === 0

export async function listTrusts(
  db: Db<Tables>,
  filter: { trustorId?: string; trusteeId?: string } = {},
): Promise<TrustRow[]> {
  let query = db.selectFrom('trust').selectAll().where('deleted_at', 'is', null).orderBy('id')
  if (filter.trustorId !== undefined) query = query.where('trustor_user_id', '=', filter.trustorId)
  if (filter.trusteeId !== undefined) query = query.where('trustee_user_id', '=', filter.trusteeId)
  return query.execute()
}

export async function insertTrust(db: Db<Tables>, row: TrustRow): Promise<void> {
  await db.insertInto('trust').values(row).execute()
}

/** Takes one of the trust's uses; false when none is left. */
export async function consumeTrust(db: Db<Tables>, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('trust')
    .set((of) => ({ remaining_uses: of('remaining_uses', '-', 1) }))
    .where('id', '=', id)
    .where((either) => either.or([either('remaining_uses', 'is', null), either('remaining_uses', '>', 0)]))
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Removes a trust and those that were redelegated from it. */
export async function removeTrust(db: Db<Tables>, id: string, now: string): Promise<void> {
  let layer = [id]
  while (layer.length > 0) {
    await db.updateTable('trust').set({ deleted_at: now }).where('id', 'in', layer).execute()
    const below = await db
      .selectFrom('trust')
      .select('id')
      .where('redelegated_trust_id', 'in', layer)
      .where('deleted_at', 'is', null)
      .execute()
    layer = below.map((row) => row.id)
  }
}
