/** How a service comes by its database: the all-in-one makes it; a daemon waits until an operator has made it. */
import { type Kysely, sql } from 'kysely'
import { sleep } from '../clock.ts'
import { isFault } from '../errors.ts'
import type { Logger } from '../log.ts'
import { openDatabase } from './database.ts'
import { appliedMigrations, type Migration, migrate } from './migrate.ts'
import { type DatabaseSettings, settingsOf } from './options.ts'
import { parseDatabaseUrl } from './url.ts'
import { waitForDatabase } from './wait.ts'

export type DatabaseOpener = <T>(url: string, migrations: readonly Migration[]) => Promise<Kysely<T>>

interface OpenerOptions {
  log: Logger
  settings?: Partial<DatabaseSettings>
}

/** Opens databases, waits until they answer, and brings them up to date. */
export function migratedDatabases({ log, settings }: OpenerOptions): DatabaseOpener {
  return async <T>(url: string, migrations: readonly Migration[]) =>
    await opened<T>(url, settings, async (db) => {
      await waitForDatabase(db, log)
      await migrate(db, migrations)
    })
}

export interface AwaitingOptions extends OpenerOptions {
  /** The command that makes the tables: `nova-manage api_db sync`. */
  sync: string
  /** Told what is waited for, and then `null`. */
  onWait?: (what: string | null) => void
  signal?: AbortSignal
}

/** Opens databases, and waits until their server answers and their tables are those of this version. */
export function awaitedDatabases(options: AwaitingOptions): DatabaseOpener {
  return async <T>(url: string, migrations: readonly Migration[]) =>
    await opened<T>(url, options.settings, (db) => awaitMigrations(db, url, migrations, options))
}

async function opened<T>(
  url: string,
  settings: Partial<DatabaseSettings> | undefined,
  prepare: (db: Kysely<T>) => Promise<void>,
): Promise<Kysely<T>> {
  const db = openDatabase<T>(url, settings)
  try {
    await prepare(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return db
}

const lookEveryMilliseconds = 1000

async function awaitMigrations<T>(
  db: Kysely<T>,
  url: string,
  migrations: readonly Migration[],
  { log, sync, onWait, signal }: AwaitingOptions,
): Promise<void> {
  const { masked } = parseDatabaseUrl(url)
  const { maxRetries } = settingsOf(db)
  let said: string | undefined
  for (let tries = 0; ; tries++) {
    let missing: string | undefined
    try {
      missing = await whatIsMissing(db, migrations, sync)
    } catch (error) {
      if (!isFault(error, 'unavailable') || (maxRetries >= 0 && tries >= maxRetries)) throw error
      // It has the driver's own words in it.
      missing = error.message
    }
    if (missing === undefined) break
    if (missing !== said) {
      log.warn({ database: masked }, `waiting for the database: ${missing}`)
      onWait?.(`waiting for the database ${masked}: ${missing}`)
      said = missing
    }
    await sleep(lookEveryMilliseconds, signal)
  }
  if (said === undefined) return
  log.info({ database: masked }, 'the database is there')
  onWait?.(null)
}

async function whatIsMissing<T>(
  db: Kysely<T>,
  migrations: readonly Migration[],
  sync: string,
): Promise<string | undefined> {
  await sql`select 1`.execute(db)
  const applied = await appliedMigrations(db)
  if (applied === undefined) return `it has no tables yet; make them with: ${sync}`
  if (migrations.every(({ name }) => applied.has(name))) return undefined
  return `its tables are those of an earlier version; bring them up to date with: ${sync}`
}
