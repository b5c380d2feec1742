/** What management commands of a service with one database work on. */
import type { Kysely } from 'kysely'
import { type Migration, newestApplied } from '../db/migrate.ts'
import { Fault } from '../errors.ts'
import type { Given } from './program.ts'

export interface DatabaseManage<T = unknown> extends AsyncDisposable {
  /** The service's database, opened on first use; a Fault says which key of which section is missing. */
  db(): Kysely<T>
  print(line: string): void
}

/** The URL, or a Fault that says which key of which section of which files is missing. */
export function needConnection(url: string | null, group: string, files: readonly string[]): string {
  if (url !== null && url !== '') return url
  const read =
    files.length === 0 ? 'no configuration file was found or given with --config-file' : files.join(', ')
  throw new Fault(
    'invalid',
    `There is no [${group}] connection in what was read (${read}). Write connection = mysql+pymysql://user:password@host/name under [${group}].`,
  )
}

/** Refuses to go to any version but the newest: databases only go forward. */
export function refuseOlder(wanted: Given[string], migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.name
  if (wanted === undefined || wanted === newest || wanted === 'head' || wanted === 'heads') return
  throw new Fault('invalid', `Databases go to their newest version only, ${newest}; ${wanted} is another.`)
}

/** The migrations that the database still lacks, in order. */
export async function pendingMigrations<T>(
  db: Kysely<T>,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const newest = await newestApplied(db, migrations)
  return migrations.slice(migrations.findIndex(({ name }) => name === newest) + 1)
}
