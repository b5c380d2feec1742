import { Fault } from '../errors.ts'

/** A database on a server, as the drivers want it. */
export interface ServerUrl {
  dialect: 'mysql' | 'postgresql'
  host: string
  port: number
  /** A Unix socket in place of host and port: a file for MariaDB, a directory for PostgreSQL. */
  socket?: string
  user: string
  password: string
  database: string
  /** What the driver in OpenStack would be told beside: `ssl_ca`, `sslmode`, `charset` and their like. */
  query: Readonly<Record<string, string>>
  /** The URL without its password, for people. */
  masked: string
}

export type DatabaseUrl = { dialect: 'sqlite'; path: string; masked: string } | ServerUrl

const form =
  /^(?:(?<user>[^:/@]*)(?::(?<password>.*))?@)?(?:\[(?<host6>[^\]]+)\]|(?<host>[^:/?]*))(?::(?<port>\d*))?(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/

const ports = { mysql: 3306, postgresql: 5432 } as const
const dialects: Readonly<Record<string, ServerUrl['dialect']>> = {
  mysql: 'mysql',
  mariadb: 'mysql',
  postgresql: 'postgresql',
  postgres: 'postgresql',
}

/**
 * Reads `sqlite:///relative`, `sqlite:////absolute`, `sqlite://` (memory), `mysql+pymysql://…` and
 * `postgresql+psycopg2://…` as SQLAlchemy does; which driver is named does not matter.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const scheme = /^([a-z]+)(\+[a-z0-9_]+)?:\/\//.exec(url)
  const masked = maskPassword(url)
  if (scheme === null) {
    throw new Fault(
      'invalid',
      `The database URL ${masked} is not of the form dialect+driver://user:password@host/name.`,
    )
  }
  const rest = url.slice(scheme[0].length)
  if (scheme[1] === 'sqlite') {
    const path = rest.replace(/\?.*$/, '').replace(/^\//, '')
    return { dialect: 'sqlite', path: path === '' ? ':memory:' : path, masked }
  }
  const dialect = dialects[scheme[1]!]
  if (dialect === undefined) {
    throw new Fault('invalid', `The database URL ${masked} names the unknown dialect ${scheme[1]}.`)
  }
  const parts = form.exec(rest)?.groups
  if (parts === undefined || (parts['database'] ?? '') === '') {
    const lacks = parts === undefined ? 'has no host or port that can be read' : 'names no database'
    throw new Fault(
      'invalid',
      `The database URL ${masked} ${lacks}; it must be ${scheme[0]}user:password@host/name, with %40 for an @ and %2F for a / in the password.`,
    )
  }
  const query = Object.fromEntries(new URLSearchParams(parts['query'] ?? ''))
  const socket = query['unix_socket'] ?? (query['host']?.startsWith('/') ? query['host'] : undefined)
  return {
    dialect,
    host: query['host'] ?? (parts['host6'] || parts['host'] || 'localhost'),
    port: Number(query['port'] ?? (parts['port'] || ports[dialect])),
    ...(socket === undefined ? {} : { socket }),
    user: unquote(parts['user'] ?? ''),
    password: unquote(parts['password'] ?? ''),
    database: parts['database']!,
    query,
    masked,
  }
}

/** The URL with `***` in place of its password. */
export const maskPassword = (url: string): string => url.replace(/(:\/\/[^:/@]*):.*@/, '$1:***@')

function unquote(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
