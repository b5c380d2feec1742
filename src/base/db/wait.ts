import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { isFault } from '../errors.ts'
import type { Logger } from '../log.ts'
import { settingsOf } from './options.ts'

/**
 * Waits until the database answers. The first failure is logged, with host, port, database and cause, and again when
 * the cause becomes another. Throws that cause after `max_retries` tries.
 */
export async function waitForDatabase<T>(db: Kysely<T>, log: Logger): Promise<void> {
  const { maxRetries, retryInterval } = settingsOf(db)
  let said: string | undefined
  for (let tries = 0; ; tries++) {
    try {
      await sql`select 1`.execute(db)
      if (said !== undefined) log.info('the database is there')
      return
    } catch (error) {
      if (!isFault(error, 'unavailable') || (maxRetries >= 0 && tries >= maxRetries)) throw error
      const cause = error.message
      if (cause !== said)
        log.error({ failure: error.details['failure'] }, `waiting for the database: ${cause}`)
      said = cause
    }
    await sleep(Math.min(250 * 2 ** tries, retryInterval * 1000))
  }
}
