import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ServerKind } from './server.ts'

export const postgresql: ServerKind = {
  name: 'postgresql',
  account: 'postgres',
  signal: 'QUIT',
  find() {
    const initdb = [...globSync('/usr/lib/postgresql/*/bin/initdb').sort().reverse(), '/usr/bin/initdb'].find(
      (path) => existsSync(path),
    )
    if (initdb === undefined)
      return { missing: 'PostgreSQL is not installed: its package is called postgresql.' }
    return { found: [initdb, join(dirname(initdb), 'postgres')] }
  },
  initialize: ([initdb], directory) => [
    initdb!,
    '--pgdata',
    join(directory, 'data'),
    '--username=kilonova',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ],
  serve: ([, serve], directory) => [
    serve!,
    ...['-D', join(directory, 'data'), '-k', directory],
    ...['-c', 'listen_addresses=', '-c', 'max_connections=400', '-c', 'shared_buffers=64MB'],
    ...['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
    ...['-c', 'autovacuum=off', '-c', 'default_transaction_isolation=serializable'],
  ],
  url: (directory, database) => `postgresql+psycopg2://kilonova@/${database}?host=${directory}`,
}
