/** What the errors of the three databases mean, told by their codes. */
import { describeError, Fault } from '../errors.ts'
import type { ServerUrl } from './url.ts'

export type Failure =
  /** Nobody answers at that address. */
  | 'unreachable'
  /** The server answers and does not let us in. */
  | 'denied'
  /** The server has no database of that name, or shows us none. */
  | 'no-database'
  /** The server is starting or stopping. */
  | 'busy'
  /** The server, or this process, has no connection to spare. */
  | 'full'
  /** The connection went away under a statement. */
  | 'lost'
  /** The server gave the statement or transaction up, since others were at the same rows: it may be run again. */
  | 'deadlock'
  /** Another row has that key. */
  | 'duplicate'
  /** A row that this one refers to is gone, or another refers to the one that is to go. */
  | 'dangling'
  /** A value is too long, too large, or holds what a text cannot. */
  | 'value'

/** By MariaDB's number, PostgreSQL's SQLSTATE or Node's code. */
const failures: ReadonlyMap<string | number, Failure> = new Map<string | number, Failure>([
  ['ECONNREFUSED', 'unreachable'],
  ['ENOENT', 'unreachable'],
  ['EACCES', 'unreachable'],
  ['ENOTFOUND', 'unreachable'],
  ['EAI_AGAIN', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ETIMEDOUT', 'unreachable'],
  ['ECONNRESET', 'lost'],
  ['EPIPE', 'lost'],
  ['PROTOCOL_CONNECTION_LOST', 'lost'],
  ['PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR', 'lost'],
  ['PROTOCOL_ENQUEUE_AFTER_QUIT', 'lost'],
  ['08000', 'lost'],
  ['08003', 'lost'],
  ['08006', 'lost'],
  ['57P01', 'lost'],
  ['57P02', 'lost'],
  [1053, 'lost'],
  [1927, 'lost'],
  [1044, 'denied'],
  [1045, 'denied'],
  [1130, 'denied'],
  [1698, 'denied'],
  ['28000', 'denied'],
  ['28P01', 'denied'],
  ['42501', 'denied'],
  [1142, 'denied'],
  [1049, 'no-database'],
  ['3D000', 'no-database'],
  [1040, 'full'],
  [1047, 'busy'],
  [1129, 'busy'],
  [1203, 'full'],
  [1226, 'full'],
  ['53300', 'full'],
  ['57P03', 'busy'],
  [1020, 'deadlock'],
  [1205, 'deadlock'],
  [1213, 'deadlock'],
  ['40001', 'deadlock'],
  ['40P01', 'deadlock'],
  ['55P03', 'deadlock'],
  [1451, 'dangling'],
  [1452, 'dangling'],
  ['23503', 'dangling'],
  [1062, 'duplicate'],
  ['23505', 'duplicate'],
  [1264, 'value'],
  [1366, 'value'],
  [1406, 'value'],
  ['22001', 'value'],
  ['22003', 'value'],
  ['22021', 'value'],
  ['22P02', 'value'],
])

/** What an error of a driver means; undefined for one that no caller can do anything about. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Fault) return error.details['failure'] as Failure | undefined
  if (!(error instanceof Error)) return undefined
  const { errno, code } = error as { errno?: number; code?: string }
  const known = failures.get(errno ?? '') ?? failures.get(code ?? '')
  if (known !== undefined) return known
  if (/^UNIQUE constraint failed/.test(error.message)) return 'duplicate'
  if (/^FOREIGN KEY constraint failed/.test(error.message)) return 'dangling'
  // pg and mysql2 give these no code.
  if (/^timeout expired/.test(error.message)) return 'unreachable'
  return /^Connection terminated|is not queryable|in closed state/.test(error.message) ? 'lost' : undefined
}

/** True when an insert or update was refused because another row has that key. */
export const isUniqueViolation = (error: unknown): boolean => failureOf(error) === 'duplicate'

/** The error as what the caller of an API is told; duplicates, dangling references, deadlocks and bugs stay what they are. */
export function explain(error: unknown, at: ServerUrl): unknown {
  const failure = failureOf(error)
  if (failure === undefined || error instanceof Fault) return error
  // What the code that asked knows how to go on from.
  if (failure === 'duplicate' || failure === 'dangling' || failure === 'deadlock') return error
  const kind = failure === 'value' ? 'invalid' : 'unavailable'
  return new Fault(kind, sentence(failure, error as Error, at), { failure }, error)
}

const products = { mysql: 'MariaDB', postgresql: 'PostgreSQL' } as const

/** `MariaDB at controller:3306`. */
export const serverName = (at: ServerUrl): string =>
  `${products[at.dialect]} at ${at.socket ?? `${at.host}:${at.port}`}`

function sentence(
  failure: Exclude<Failure, 'duplicate' | 'dangling' | 'deadlock'>,
  error: Error,
  at: ServerUrl,
): string {
  const server = serverName(at)
  switch (failure) {
    case 'unreachable':
      return `${server} cannot be reached for database ${at.database}: ${unreachable(error, at)}.`
    case 'denied':
      return `${server} does not let user ${at.user} into database ${at.database}: ${error.message}. Check the password in the URL and the user's grants.`
    case 'no-database':
      return `${server} has no database ${at.database} that user ${at.user} can see: create it, and grant the user all on it.`
    case 'busy':
      return `${server} takes no more work for database ${at.database} now: ${error.message}.`
    case 'full':
      return `${server} has no connection to spare for database ${at.database}: ${error.message}. Raise max_connections there, or lower max_pool_size and max_overflow of the services that use it.`
    case 'lost':
      return `The connection to ${server} was lost during work in database ${at.database}: ${error.message}.`
    case 'value':
      return `The database does not take a value: ${error.message}.`
  }
}

function unreachable(error: Error, at: ServerUrl): string {
  switch ((error as { code?: string }).code) {
    case 'ECONNREFUSED':
      return 'the connection is refused, so nothing listens there'
    case 'ENOENT':
      return `there is no socket ${at.socket}`
    case 'EACCES':
      return `this user may not open the socket ${at.socket}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${at.host} is not known`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to it'
    default:
      return `no answer, as when a firewall drops what is sent there (${describeError(error)})`
  }
}
