/**
 * `kilonova db create`: the databases and users that this host's configuration files name, made as a database
 * administrator does by hand: CREATE DATABASE, and GRANTs to the user and password of each URL. Again: changes nothing.
 */
import { existsSync } from 'node:fs'
import { parseDatabaseUrl, type ServerUrl } from '../../base/db/url.ts'
import { describeError, Fault } from '../../base/errors.ts'
import { cell0Url } from '../../compute/manage/cells.ts'
import { programsHere, textOf } from '../doctor/programs-here.ts'

export interface CreateOptions {
  /** Whom the server lets make databases; MariaDB's root by its socket unless given. */
  adminUrl?: string
  configFile: readonly string[]
  configDir: readonly string[]
}

const socket = '/run/mysqld/mysqld.sock'

/** Gives the exit code; a Fault says what is missing. */
export async function createDatabases(options: CreateOptions): Promise<number> {
  for (const { database, user } of await makeDatabases(wantedDatabases(options), options.adminUrl))
    console.log(`database ${database}, with all rights for ${user}`)
  return 0
}

/** Makes what is missing; each user's password becomes that of its URL. */
export async function makeDatabases(wanted: readonly ServerUrl[], adminUrl?: string): Promise<typeof wanted> {
  const admin = parseDatabaseUrl(adminUrl ?? standardAdmin())
  if (admin.dialect === 'sqlite')
    throw new Fault('invalid', '--admin-url names SQLite, whose databases are files: nothing is to be made.')
  const others = wanted.filter(({ dialect }) => dialect !== admin.dialect)
  if (others.length > 0) {
    throw new Fault(
      'invalid',
      `The files name databases of another kind than --admin-url: ${others.map(({ masked }) => masked).join(', ')}.`,
    )
  }
  const statements = await (admin.dialect === 'mysql' ? openMariadb(admin) : openPostgresql(admin))
  try {
    for (const each of wanted) await statements.create(each)
  } finally {
    await statements.close()
  }
  return wanted
}

/** Each database once, with the user of its URL; cell0's beside the cell's, where `map_cell0` looks for it. */
export function wantedDatabases({ configFile, configDir }: Omit<CreateOptions, 'adminUrl'>): ServerUrl[] {
  const { programs, problems } = programsHere({ names: [], configFiles: configFile, configDirs: configDir })
  const [problem] = problems
  if (problem !== undefined) throw new Fault('invalid', problem.detail)
  const urls = programs.flatMap(({ name, config }) => {
    const [api, own] = ['apiDatabaseConnection', 'databaseConnection'].map((key) => textOf(config, key) || [])
    const cell0 = name === 'nova-conductor' && typeof own === 'string' ? [cell0Url(own)] : []
    return [api ?? [], own ?? [], cell0].flat()
  })
  const servers = urls.map(parseDatabaseUrl).filter((url) => url.dialect !== 'sqlite')
  if (servers.length === 0) {
    throw new Fault(
      'not-found',
      'No file of this host names a database on a server (/etc/nova/nova.conf, /etc/neutron/neutron.conf, …); name others with --config-file.',
    )
  }
  return [...new Map(servers.map((url) => [`${url.database} ${url.user}`, url])).values()]
}

function standardAdmin(): string {
  if (existsSync(socket)) return `mysql+pymysql://root@localhost/mysql?unix_socket=${socket}`
  throw new Fault(
    'invalid',
    `There is no MariaDB at ${socket}. Name the administrator: --admin-url mysql+pymysql://root:PASSWORD@HOST/mysql, or postgresql://postgres:PASSWORD@HOST/postgres`,
  )
}

interface Statements {
  create(wanted: ServerUrl): Promise<void>
  close(): Promise<void>
}

async function openMariadb(admin: ServerUrl): Promise<Statements> {
  const { createConnection } = await import('mysql2/promise')
  const { host, port, user, password } = admin
  const place = admin.socket === undefined ? { host, port } : { socketPath: admin.socket }
  const connection = await createConnection({ ...place, user, password, connectTimeout: 10_000 }).catch(
    refused(admin),
  )
  // mysql2 escapes with backslashes, whatever the server's own setting.
  await connection.query("SET SESSION sql_mode = ''")
  return {
    async create(wanted) {
      await connection.query('CREATE DATABASE IF NOT EXISTS ??', [wanted.database])
      for (const from of ['localhost', '%']) {
        const { user: grantee, password: secret, database } = wanted
        const grant = 'GRANT ALL PRIVILEGES ON ??.* TO ?@? IDENTIFIED BY ?'
        await connection.query(grant, [database, grantee, from, secret])
      }
    },
    close: () => connection.end(),
  }
}

async function openPostgresql(admin: ServerUrl): Promise<Statements> {
  const { default: pg } = await import('pg')
  const { port, user, password, database } = admin
  const client = new pg.Client({ host: admin.socket ?? admin.host, port, user, password, database })
  await client.connect().catch(refused(admin))
  const has = async (query: string, name: string) => (await client.query(query, [name])).rowCount !== 0
  return {
    async create(wanted) {
      const [role, base] = [wanted.user, wanted.database].map((name) => client.escapeIdentifier(name))
      const known = await has('SELECT FROM pg_roles WHERE rolname = $1', wanted.user)
      const secret = client.escapeLiteral(wanted.password)
      await client.query(`${known ? 'ALTER' : 'CREATE'} ROLE ${role} LOGIN PASSWORD ${secret}`)
      if (await has('SELECT FROM pg_database WHERE datname = $1', wanted.database))
        await client.query(`ALTER DATABASE ${base} OWNER TO ${role}`)
      else await client.query(`CREATE DATABASE ${base} OWNER ${role}`)
    },
    close: () => client.end(),
  }
}

const refused = (admin: ServerUrl) => (error: unknown) => {
  const where = admin.socket ?? `${admin.host}:${admin.port}`
  throw new Fault(
    'unavailable',
    `The database server at ${where} does not let ${admin.user} in; --admin-url says who may make databases: ${describeError(error)}`,
  )
}
