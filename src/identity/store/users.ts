/** Users with their names and passwords. */
import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import type { Tables, UserTable } from './tables.ts'

export interface UserRow extends UserTable {
  name: string
  password_hash: string | null
  password_created_at: string | null
  password_expires_at: string | null
}

const joined = (db: Db<Tables>) =>
  db
    .selectFrom('user')
    .innerJoin('local_user', 'local_user.user_id', 'user.id')
    .leftJoin('password', 'password.user_id', 'user.id')
    .selectAll('user')
    .select(['local_user.name', 'password.password_hash'])
    .select(['password.created_at as password_created_at', 'password.expires_at as password_expires_at'])

export async function findUser(db: Db<Tables>, id: string): Promise<UserRow | undefined> {
  return joined(db).where('user.id', '=', id).executeTakeFirst()
}

export async function getUser(db: Db<Tables>, id: string): Promise<UserRow> {
  const row = await findUser(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find user: ${id}.`, { id })
  return row
}

/** For a change in this transaction: who else changes the user waits until it ended. */
export async function userToChange(transaction: Db<Tables>, id: string): Promise<UserRow> {
  await transaction.selectFrom('user').select('id').where('id', '=', id).forUpdate().execute()
  return await getUser(transaction, id)
}

export async function findUserByName(
  db: Db<Tables>,
  name: string,
  domainId: string,
): Promise<UserRow | undefined> {
  return joined(db)
    .where('local_user.domain_id', '=', domainId)
    .where('local_user.name', '=', name)
    .executeTakeFirst()
}

export interface UserFilter {
  domainId?: string
  name?: string
  groupId?: string
}

export async function listUsers(db: Db<Tables>, filter: UserFilter = {}): Promise<UserRow[]> {
  let query = joined(db).orderBy('local_user.name').orderBy('user.id')
  const { domainId, name, groupId } = filter
  if (domainId !== undefined) query = query.where('user.domain_id', '=', domainId)
  if (name !== undefined) query = query.where('local_user.name', '=', name)
  if (groupId !== undefined) {
    query = query.where('user.id', 'in', (inner) =>
      inner.selectFrom('user_group_membership').select('user_id').where('group_id', '=', groupId),
    )
  }
  return query.execute()
}

export async function insertUser(
  db: Db<Tables>,
  row: UserTable & { name: string },
  password?: { hash: string; at: string },
): Promise<void> {
  const { name, ...user } = row
  try {
    await db.insertInto('user').values(user).execute()
    await db.insertInto('local_user').values({ user_id: row.id, domain_id: row.domain_id, name }).execute()
  } catch (error) {
    throw isUniqueViolation(error) ? duplicate(name, row.domain_id) : error
  }
  if (password !== undefined) await setPassword(db, row.id, password)
}

export async function updateUser(
  db: Db<Tables>,
  user: UserRow,
  change: Partial<Omit<UserTable, 'id'>> & { name?: string },
): Promise<void> {
  const { name, ...columns } = change
  if (Object.keys(columns).length > 0) {
    await db.updateTable('user').set(columns).where('id', '=', user.id).execute()
  }
  if (name === undefined) return
  await db
    .updateTable('local_user')
    .set({ name })
    .where('user_id', '=', user.id)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate(name, user.domain_id) : error
    })
}

const duplicate = (name: string, domainId: string): Fault =>
  new Fault(
    'conflict',
    `Conflict occurred attempting to store user - Duplicate entry found with name ${name} at domain ID ${domainId}.`,
  )

/** Replaces the password; without one the user can no longer log in with it. */
export async function setPassword(
  db: Db<Tables>,
  userId: string,
  password: { hash: string; at: string } | undefined,
): Promise<void> {
  await db.deleteFrom('password').where('user_id', '=', userId).execute()
  if (password === undefined) return
  await db
    .insertInto('password')
    .values({
      user_id: userId,
      password_hash: password.hash,
      created_at: password.at,
      expires_at: null,
    })
    .execute()
}

/** Removes users with their assignments, credentials and trusts. */
export async function removeUsers(db: Db<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  for (const type of ['UserProject', 'UserDomain'] as const) {
    await db.deleteFrom('assignment').where('type', '=', type).where('actor_id', 'in', ids).execute()
  }
  await db
    .deleteFrom('system_assignment')
    .where('type', '=', 'UserSystem')
    .where('actor_id', 'in', ids)
    .execute()
  await db.deleteFrom('credential').where('user_id', 'in', ids).execute()
  await db.deleteFrom('application_credential').where('user_id', 'in', ids).execute()
  await db.deleteFrom('access_token').where('authorizing_user_id', 'in', ids).execute()
  await db.deleteFrom('access_rule').where('user_id', 'in', ids).execute()
  await db
    .deleteFrom('trust')
    .where((either) =>
      either.or([either('trustor_user_id', 'in', ids), either('trustee_user_id', 'in', ids)]),
    )
    .execute()
  await db.deleteFrom('user').where('id', 'in', ids).execute()
}
