/** Databases: reached, let in, and allowed to do what services do there. */
import { distance } from 'fastest-levenshtein'
import { sql } from 'kysely'
import { openDatabase } from '../../../base/db/database.ts'
import { failureOf } from '../../../base/db/failures.ts'
import { parseDatabaseUrl } from '../../../base/db/url.ts'
import { describeError, isFault } from '../../../base/errors.ts'
import { fillUrl } from '../../../compute/cells/url-template.ts'
import type { ApiTables } from '../../../compute/store/api-tables.ts'
import { listCellMappings } from '../../../compute/store/cells.ts'
import { type Check, type Finding, failure, ok } from '../finding.ts'
import { has, type ProgramHere, textOf, whereOf } from '../programs-here.ts'
import { portFinding, reach } from '../reach.ts'
import { grantedDatabases } from './granted-databases.ts'

const keys = ['apiDatabaseConnection', 'databaseConnection'] as const

export function databaseChecks(programs: readonly ProgramHere[]): Check[] {
  const seen = new Map<string, string>()
  for (const program of programs) {
    for (const key of keys) {
      const url = textOf(program.config, key)
      if (url !== undefined && url !== '' && !seen.has(url)) seen.set(url, whereOf(program, key))
    }
  }
  if (seen.size === 0) return []
  const run = async () => {
    const findings = await Promise.all([...seen].map(([url, where]) => checkDatabase(url, where)))
    return [...findings.flat(), ...(await checkCells(programs, new Set(seen.keys())))]
  }
  return [{ about: 'databases', run }]
}

async function checkDatabase(url: string, where: string): Promise<Finding[]> {
  const parsed = parseDatabaseUrl(url)
  if (parsed.dialect === 'sqlite') return [ok(`database ${parsed.path}`, 'is a file on this host')]
  const product = parsed.dialect === 'mysql' ? 'MariaDB' : 'PostgreSQL'
  const subject = `${product} ${parsed.host}:${parsed.port}, database ${parsed.database} (${where})`
  if (parsed.socket === undefined) {
    const at = { host: parsed.host, port: parsed.port }
    const reached = await reach(at.host, at.port)
    if (!reached.reached) return [portFinding(subject, at, reached, where)]
  }
  await using db = openDatabase<Record<string, never>>(url)
  try {
    await sql`select 1`.execute(db)
    const table = sql.table(`kilonova_doctor_${process.pid}`)
    await sql`create table ${table} (id integer)`.execute(db)
    try {
      await sql`insert into ${table} (id) values (1)`.execute(db)
      await sql`delete from ${table}`.execute(db)
    } finally {
      await sql`drop table ${table}`.execute(db)
    }
    return [ok(subject, `user ${parsed.user} may create, write and drop tables`)]
  } catch (error) {
    return [failure(subject, describeFirst(error), await fixOf(url, error))]
  }
}

const describeFirst = (error: unknown): string => (isFault(error) ? error.message : describeError(error))

async function fixOf(url: string, error: unknown): Promise<string> {
  const parsed = parseDatabaseUrl(url)
  if (parsed.dialect === 'sqlite') return 'Look at the path and its rights.'
  const { user, database } = parsed
  const what = failureOf(error)
  const mysql = parsed.dialect === 'mysql'
  const grant = mysql
    ? `GRANT ALL PRIVILEGES ON ${database}.* TO '${user}'@'%' IDENTIFIED BY 'PASSWORD';`
    : `ALTER DATABASE ${database} OWNER TO ${user};`
  if (what !== 'denied' && what !== 'no-database') return `As the database's administrator: ${grant}`
  const granted = mysql ? await grantedDatabases(parsed) : []
  const near = granted.find((name) => name !== database && distance(name, database) <= 3)
  const create = what === 'no-database' ? `CREATE DATABASE ${database}; ` : ''
  const slip =
    near === undefined ? '' : ` User ${user} has grants on ${near} instead: was that meant to be ${database}?`
  return `As the database's administrator: ${create}${grant}${slip}`
}

/** The databases of the cells, which no file names but cell_mappings does. */
async function checkCells(programs: readonly ProgramHere[], known: ReadonlySet<string>): Promise<Finding[]> {
  const nova = programs.find(({ config }) => has(config, 'apiDatabaseConnection'))
  if (nova === undefined) return []
  const configured = textOf(nova.config, 'databaseConnection')
  let urls: { name: string; url: string }[]
  try {
    await using db = openDatabase<ApiTables>(textOf(nova.config, 'apiDatabaseConnection')!)
    const cells = await listCellMappings(db)
    urls = cells.map((cell) => ({ name: cell.name, url: fillUrl(cell.database_connection, configured) }))
  } catch {
    // Without tables or without a way in: the check of the database itself has told that.
    return []
  }
  const others = urls.filter(({ url }) => !known.has(url))
  return (await Promise.all(others.map(({ name, url }) => checkDatabase(url, `cell ${name}`)))).flat()
}
