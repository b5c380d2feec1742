/** What an operator may settle about a database: oslo.db's options, in any service's file. */
import type { Kysely } from 'kysely'
import { loadConfig } from '../config/load.ts'
import { type Config, int, type Options, optional, text } from '../config/option.ts'

/** The options of a section: `database`, or nova's `api_database`, or placement's `placement_database`. */
export const databaseOptionsOf = <const G extends string>(group: G) =>
  ({
    connection: {
      group,
      name: 'connection',
      type: optional(text),
      default: '',
      secret: true,
      deprecated: ['sql_connection', 'DEFAULT.sql_connection'],
      help: 'The SQLAlchemy URL of the database: sqlite:////file, mysql+pymysql://user:password@host/name or postgresql+psycopg2://user:password@host/name.',
    },
    maxPoolSize: {
      group,
      name: 'max_pool_size',
      type: int({ min: 0 }),
      default: 5,
      help: 'How many connections to the server each process keeps open. One that is busy waits a moment for one of them before it opens more.',
    },
    maxOverflow: {
      group,
      name: 'max_overflow',
      type: int({ min: -1 }),
      default: 50,
      help: 'How many connections each process may have beside max_pool_size while it is busy. -1: any number.',
    },
    poolTimeout: {
      group,
      name: 'pool_timeout',
      type: int({ min: 1 }),
      default: 30,
      help: 'Seconds that a request waits for a connection, new or free again, before it fails. A server that has none to spare is asked again until then.',
    },
    connectionRecycleTime: {
      group,
      name: 'connection_recycle_time',
      type: int({ min: -1 }),
      default: 3600,
      help: 'Seconds after which a connection is replaced by a new one, so that no proxy or server closes it for its age. -1: never.',
    },
    maxRetries: {
      group,
      name: 'max_retries',
      type: int({ min: -1 }),
      default: -1,
      help: 'How often a database that cannot be reached is tried again at the start, retry_interval apart. -1: until it is there.',
    },
    retryInterval: {
      group,
      name: 'retry_interval',
      type: int({ min: 1 }),
      default: 10,
      help: 'Most seconds between two tries to reach a database at the start; the first tries follow each other faster.',
    },
    dbMaxRetries: {
      group,
      name: 'db_max_retries',
      type: int({ min: 0 }),
      default: 20,
      help: 'How often a transaction that the server gave up because of a deadlock is run again.',
    },
  }) as const satisfies Options

/** Section `[database]`, to be spread into a service's own table. */
export const databaseOptions = databaseOptionsOf('database')

export type DatabaseSettings = Omit<Config<typeof databaseOptions>, 'connection'>

export const defaultDatabaseSettings: DatabaseSettings = loadConfig(databaseOptions).config

/** How many connections a process may have. */
export const poolLimit = ({ maxPoolSize, maxOverflow }: DatabaseSettings): number =>
  maxOverflow === -1 ? 10_000 : Math.max(1, maxPoolSize + maxOverflow)

/** The settings that a database was opened with. */
export const settingsOf = <T>(db: Kysely<T>): DatabaseSettings =>
  (db.getExecutor().adapter as { settings?: DatabaseSettings }).settings ?? defaultDatabaseSettings
