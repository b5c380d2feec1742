import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ServerKind } from './server.ts'

const places = ['/usr/sbin', '/usr/local/sbin', ...(process.env['PATH'] ?? '').split(delimiter)]
const program = (name: string) => places.map((place) => join(place, name)).find((path) => existsSync(path))

export const mariadb: ServerKind = {
  name: 'mysql',
  account: 'mysql',
  signal: 'KILL',
  find() {
    const [install, serve] = [program('mariadb-install-db'), program('mariadbd')]
    if (install !== undefined && serve !== undefined) return { found: [install, serve] }
    return { missing: 'MariaDB is not installed: its package is called mariadb-server.' }
  },
  initialize: ([install], directory) => [
    install!,
    '--no-defaults',
    `--datadir=${directory}/data`,
    `--tmpdir=${directory}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--innodb-flush-method=nosync',
  ],
  serve: ([, serve], directory) => [
    serve!,
    '--no-defaults',
    `--datadir=${directory}/data`,
    `--tmpdir=${directory}`,
    `--socket=${directory}/socket`,
    `--pid-file=${directory}/pid`,
    '--skip-networking',
    '--skip-log-bin',
    '--performance-schema=OFF',
    '--max-connections=400',
    '--innodb-flush-method=nosync',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-doublewrite=OFF',
    '--innodb-buffer-pool-size=64M',
    '--innodb-lock-wait-timeout=10',
    // Not what a cloud's database should have: the tests must hold whatever the server's own settings are.
    '--character-set-server=latin1',
    '--sql-mode=NO_BACKSLASH_ESCAPES',
    '--transaction-isolation=SERIALIZABLE',
  ],
  url: (directory, database) => `mysql+pymysql://root@localhost/${database}?unix_socket=${directory}/socket`,
}

/** One that keeps what it was given when it is killed, with settings as a cloud's database has them. */
export const lastingMariadb: ServerKind = {
  ...mariadb,
  // Of an option that is given twice, the last counts. What the kernel was given outlives the process.
  serve: (programs, directory) => [
    ...mariadb.serve(programs, directory),
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-doublewrite=ON',
    '--character-set-server=utf8',
    '--transaction-isolation=REPEATABLE-READ',
  ],
}

/** As a distribution's package has it: what was committed outlives the machine. For measurements. */
export const durableMariadb: ServerKind = {
  ...lastingMariadb,
  serve: (programs, directory) => [
    ...lastingMariadb.serve(programs, directory),
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-flush-method=O_DIRECT',
    '--innodb-buffer-pool-size=128M',
  ],
}
