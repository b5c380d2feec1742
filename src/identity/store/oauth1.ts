/** OAuth 1.0a: consumers, the request tokens that users authorize, and the access tokens these are exchanged for. */
import type { Db } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { AccessTokenTable, ConsumerTable, RequestTokenTable, Tables } from './tables.ts'

export type ConsumerRow = ConsumerTable
export type RequestTokenRow = RequestTokenTable
export type AccessTokenRow = AccessTokenTable

export async function findConsumer(db: Db<Tables>, id: string): Promise<ConsumerRow | undefined> {
  return db.selectFrom('consumer').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getConsumer(db: Db<Tables>, id: string): Promise<ConsumerRow> {
  const row = await findConsumer(db, id)
  if (row === undefined) throw new Fault('not-found', 'Consumer not found', { id })
  return row
}

export async function listConsumers(db: Db<Tables>): Promise<ConsumerRow[]> {
  return db.selectFrom('consumer').selectAll().orderBy('id').execute()
}

export async function insertConsumer(db: Db<Tables>, row: ConsumerRow): Promise<void> {
  await db.insertInto('consumer').values(row).execute()
}

export async function updateConsumer(
  db: Db<Tables>,
  id: string,
  change: Partial<ConsumerRow>,
): Promise<void> {
  await db.updateTable('consumer').set(change).where('id', '=', id).execute()
}

/** Its tokens go with it. */
export async function removeConsumer(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('consumer').where('id', '=', id).execute()
}

export async function getRequestToken(db: Db<Tables>, id: string): Promise<RequestTokenRow> {
  const row = await db.selectFrom('request_token').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Fault('not-found', 'Request token not found', { id })
  return row
}

/** Also forgets those that nobody authorized in time. */
export async function insertRequestToken(db: Db<Tables>, row: RequestTokenRow, now: string): Promise<void> {
  await db.deleteFrom('request_token').where('expires_at', '<=', now).execute()
  await db.insertInto('request_token').values(row).execute()
}

export async function authorizeRequestToken(
  db: Db<Tables>,
  id: string,
  by: { authorizing_user_id: string; role_ids: string; verifier: string },
): Promise<void> {
  await db.updateTable('request_token').set(by).where('id', '=', id).execute()
}

/** False when the request token was used before: it is good for one access token. */
export async function exchangeRequestToken(
  db: Db<Tables>,
  requestTokenId: string,
  row: AccessTokenRow,
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('request_token')
    .where('id', '=', requestTokenId)
    .executeTakeFirst()
  if (numDeletedRows === 0n) return false
  await db.insertInto('access_token').values(row).execute()
  return true
}

export async function findAccessToken(db: Db<Tables>, id: string): Promise<AccessTokenRow | undefined> {
  return db.selectFrom('access_token').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getAccessToken(db: Db<Tables>, id: string): Promise<AccessTokenRow> {
  const row = await findAccessToken(db, id)
  if (row === undefined) throw new Fault('not-found', 'Access token not found', { id })
  return row
}

export async function listAccessTokens(db: Db<Tables>, userId: string): Promise<AccessTokenRow[]> {
  return db
    .selectFrom('access_token')
    .selectAll()
    .where('authorizing_user_id', '=', userId)
    .orderBy('id')
    .execute()
}

export async function removeAccessToken(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('access_token').where('id', '=', id).execute()
}
