import { awaitedDatabases, type DatabaseOpener } from '../../base/db/opener.ts'
import type { DatabaseSettings } from '../../base/db/options.ts'
import { Fault } from '../../base/errors.ts'
import type { DaemonContext } from './daemon.ts'

/** The URL of a section's database; a Fault that says what is missing where. */
export function databaseUrl(section: string, url: string | null): string {
  if (url !== null && url !== '') return url
  throw new Fault(
    'invalid',
    `[${section}] connection is not set. It says where the database is: mysql+pymysql://USER:PASSWORD@HOST/NAME`,
  )
}

/** Opens databases once they are there with the tables that `sync` makes. */
export const databasesMadeBy = (
  sync: string,
  settings: DatabaseSettings,
  { log, onWait, signal }: Pick<DaemonContext, 'log' | 'onWait' | 'signal'>,
): DatabaseOpener => awaitedDatabases({ log, onWait, signal, sync, settings })
