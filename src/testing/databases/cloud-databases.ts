import { sql } from 'kysely'
import { openDatabase } from '../../base/db/database.ts'
import { waitForDatabase } from '../../base/db/wait.ts'
import { silentLogger } from '../../base/log.ts'
import { testDialect } from './dialect.ts'
import { mariadb } from './mariadb.ts'
import { postgresql } from './postgresql.ts'
import { type Server, type ServerKind, startServer } from './server.ts'

const names = ['keystone', 'glance', 'placement', 'neutron', 'nova_api', 'nova_cell0', 'nova']

export interface CloudDatabases {
  /** The URL of a database by OpenStack's name for it. */
  url(name: string): string
  /** Ends the server with all that is in it. */
  stop(): void
}

/** A cloud's empty databases on a server of `TEST_DB`; undefined for SQLite, whose files need none. */
export async function startCloudDatabases(): Promise<CloudDatabases | undefined> {
  if (testDialect === 'sqlite') return undefined
  return await startCloudDatabasesOn(testDialect === 'mysql' ? mariadb : postgresql)
}

/** The same on a server of that kind. */
export async function startCloudDatabasesOn(kind: ServerKind): Promise<Server> {
  const server = startServer(kind)
  await using admin = openDatabase(server.url(kind.name === 'mysql' ? 'mysql' : 'postgres'))
  await waitForDatabase(admin, silentLogger)
  for (const name of names) await sql`create database ${sql.id(name)}`.execute(admin)
  return server
}
