import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { type Db, isUniqueViolation } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import type { ApiTables, KeyPairsTable } from './api-tables.ts'

export type Keypair = Selectable<KeyPairsTable>

export interface NewKeypair {
  user_id: string
  name: string
  type: 'ssh' | 'x509'
  public_key: string
  fingerprint: string
}

/** A user's keypairs by name, after the one called `marker`. */
export async function listKeypairs(
  db: Db<ApiTables>,
  userId: string,
  page: { limit?: number; marker?: string } = {},
): Promise<Keypair[]> {
  let query = db.selectFrom('key_pairs').selectAll().where('user_id', '=', userId).orderBy('name')
  if (page.marker !== undefined) {
    if ((await findKeypair(db, userId, page.marker)) === undefined)
      throw new Fault('invalid', `Marker ${page.marker} could not be found.`)
    query = query.where('name', '>', page.marker)
  }
  if (page.limit !== undefined) query = query.limit(page.limit)
  return await query.execute()
}

export function findKeypair(db: Db<ApiTables>, userId: string, name: string): Promise<Keypair | undefined> {
  return db
    .selectFrom('key_pairs')
    .selectAll()
    .where('user_id', '=', userId)
    .where('name', '=', name)
    .executeTakeFirst()
}

const keypairNotFound = (userId: string, name: string) =>
  new Fault('not-found', `Keypair ${name} not found for user ${userId}`, { name })

export async function getKeypair(db: Db<ApiTables>, userId: string, name: string): Promise<Keypair> {
  const keypair = await findKeypair(db, userId, name)
  if (keypair === undefined) throw keypairNotFound(userId, name)
  return keypair
}

export async function countKeypairs(db: Db<ApiTables>, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom('key_pairs')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Throws `conflict` when the user has one of that name. */
export async function insertKeypair(db: Db<ApiTables>, keypair: NewKeypair): Promise<Keypair> {
  try {
    return await db
      .insertInto('key_pairs')
      .values({ ...keypair, created_at: timestamp(), updated_at: null })
      .returningAll()
      .executeTakeFirstOrThrow()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault('conflict', `Key pair '${keypair.name}' already exists.`)
  }
}

export async function deleteKeypair(db: Db<ApiTables>, userId: string, name: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('key_pairs')
    .where('user_id', '=', userId)
    .where('name', '=', name)
    .executeTakeFirst()
  if (numDeletedRows === 0n) throw keypairNotFound(userId, name)
}
