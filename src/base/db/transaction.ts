import type { Transaction } from 'kysely'
import { Fault } from '../errors.ts'
import type { Db } from './database.ts'
import { failureOf } from './failures.ts'
import { settingsOf } from './options.ts'
import { backOff } from './server-driver.ts'

/** A transaction that loses its connection before it commits is run again so often. */
const lostTries = 3

/**
 * Runs `work` in a transaction, or in the one that `db` is. `work` runs again when nothing of it was done: the server
 * gave it up because of a deadlock; the connection was lost before the commit; or a row met another under a unique key,
 * which is a race where the store did not make a Fault of it. So it must do nothing but read and write this database.
 * `duplicateTries`: how often it is tried against others' keys.
 */
export async function inTransaction<T, R>(
  db: Db<T>,
  work: (transaction: Transaction<T>) => Promise<R>,
  { duplicateTries = 5 }: { duplicateTries?: number } = {},
): Promise<R> {
  if (db.isTransaction) return await work(db as Transaction<T>)
  for (let attempt = 1; ; attempt++) {
    let isCommitting = false
    try {
      return await db.transaction().execute(async (transaction) => {
        const result = await work(transaction)
        isCommitting = true
        return result
      })
    } catch (error) {
      const failure = failureOf(error)
      const tries = {
        lost: isCommitting ? 1 : lostTries,
        duplicate: duplicateTries,
        deadlock: settingsOf(db).dbMaxRetries + 1,
      }
      const most = tries[failure as keyof typeof tries] ?? 1
      if (attempt < most) await backOff(failure === 'duplicate' ? 1 : attempt)
      else if (failure !== 'deadlock') throw error
      else throw new Fault('unavailable', tooManyAtOnce, { failure }, error)
    }
  }
}

const tooManyAtOnce = 'Too many others change the same at once. Nothing was changed; try again.'
