import type { Transaction } from 'kysely'
import { Fault } from '../errors.ts'
import type { Db } from './database.ts'
import { failureOf } from './failures.ts'
import { settingsOf } from './options.ts'
import { backOff } from './server-driver.ts'

/** A transaction that loses its connection before it commits is run again so often. */
const lostTries = 3

/**
 * Runs `work` in a transaction, or in the one that `db` is. When the server gives it up because of a deadlock, or the
 * connection is lost before the commit, nothing of it was done, and `work` runs again: so it must do nothing but read
 * and write this database.
 */
export async function inTransaction<T, R>(
  db: Db<T>,
  work: (transaction: Transaction<T>) => Promise<R>,
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
      if (failure === 'lost' && !isCommitting && attempt < lostTries) await backOff(attempt)
      else if (failure !== 'deadlock') throw error
      else if (attempt <= settingsOf(db).dbMaxRetries) await backOff(attempt)
      else {
        const sentence = 'Too many others change the same at once. Nothing was changed; try again.'
        throw new Fault('unavailable', sentence, { failure }, error)
      }
    }
  }
}
