import { Fault } from '../errors.ts'

export type DatabaseUrl =
  | { dialect: 'sqlite'; path: string; masked: string }
  | {
      dialect: 'mysql' | 'postgresql'
      host: string
      port: number
      user: string
      password: string
      database: string
      masked: string
    }

/**
 * Reads `sqlite:///relative`, `sqlite:////absolute`, `sqlite://` (memory), `mysql+pymysql://…` and
 * `postgresql+psycopg2://…` as SQLAlchemy does.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const scheme = /^([a-z]+)(\+[a-z0-9_]+)?:\/\//.exec(url)
  const masked = url.replace(/:[^:@/]*@/, ':***@')
  if (scheme === null) {
    throw new Fault(
      'invalid',
      `The database URL ${masked} is not of the form dialect+driver://user:password@host/name.`,
    )
  }
  if (scheme[1] === 'sqlite') {
    const path = url.slice(scheme[0].length).replace(/\?.*$/, '').replace(/^\//, '')
    return { dialect: 'sqlite', path: path === '' ? ':memory:' : path, masked }
  }
  const dialect = scheme[1] === 'mysql' || scheme[1] === 'mariadb' ? 'mysql' : 'postgresql'
  if (dialect === 'postgresql' && scheme[1] !== 'postgresql' && scheme[1] !== 'postgres') {
    throw new Fault('invalid', `The database URL ${masked} names the unknown dialect ${scheme[1]}.`)
  }
  const parts = new URL(url.replace(scheme[0], 'http://'))
  return {
    dialect,
    host: parts.hostname,
    port: parts.port === '' ? (dialect === 'mysql' ? 3306 : 5432) : Number(parts.port),
    user: decodeURIComponent(parts.username),
    password: decodeURIComponent(parts.password),
    database: decodeURIComponent(parts.pathname.slice(1)),
    masked,
  }
}
