/**
 * What MariaDB and PostgreSQL have in common, around Kysely's driver for either: values as SQLite takes them, errors in
 * words, and second tries where they can do no harm: of a read or a `begin` whose connection was lost, and of a
 * statement by itself that the server gave up because of a deadlock. Whole transactions are run again by `inTransaction`.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import { isFault } from '../errors.ts'
import { explain, failureOf, serverName } from './failures.ts'
import type { DatabaseSettings } from './options.ts'
import type { Reach } from './reach.ts'
import type { ServerUrl } from './url.ts'

/** A read that loses its connection is tried so often: a pool may hold a few that a restarted server closed. */
const lostTries = 3

/** Waits before try number `attempt` (from 1), so that those who met do not meet again. */
export const backOff = (attempt: number): Promise<void> => sleep(randomInt(1, 10 * 2 ** Math.min(attempt, 6)))

export interface ServerDriverOptions {
  inner: Driver
  url: ServerUrl
  settings: DatabaseSettings
  /** Remembers whether the server can be reached. */
  reach?: Reach | undefined
}

export class ServerDriver implements Driver {
  readonly #o: ServerDriverOptions

  constructor(options: ServerDriverOptions) {
    this.#o = options
  }

  init(): Promise<void> {
    return this.#o.inner.init()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = new ServerConnection(this.#o)
    await connection.renew()
    return connection
  }

  beginTransaction(connection: ServerConnection, settings: TransactionSettings): Promise<void> {
    return connection.begin(settings)
  }

  async commitTransaction(connection: ServerConnection): Promise<void> {
    await connection.end('commit')
  }

  async rollbackTransaction(connection: ServerConnection): Promise<void> {
    await connection.end('rollback')
  }

  async releaseConnection(connection: ServerConnection): Promise<void> {
    await connection.release()
  }

  destroy(): Promise<void> {
    this.#o.reach?.close()
    return this.#o.inner.destroy()
  }
}

class ServerConnection implements DatabaseConnection {
  readonly #o: ServerDriverOptions
  #inner: DatabaseConnection | undefined
  #inTransaction = false
  #isLost = false
  /** What the server has not answered, when it is known to be away. */
  #unanswered: Promise<unknown> | undefined

  constructor(options: ServerDriverOptions) {
    this.#o = options
  }

  /** Takes a connection of the pool, in place of one that was lost. */
  async renew(): Promise<void> {
    await this.release()
    this.#isLost = false
    const { inner, url, reach } = this.#o
    reach?.assertThere()
    const connecting = inner.acquireConnection()
    try {
      this.#inner = await (reach?.answer(connecting, serverName(url), this.#probe) ?? connecting)
    } catch (error) {
      // It may come yet, when nobody waits for it.
      connecting.then((late) => inner.releaseConnection(late)).catch(() => undefined)
      const why = explain(error, url)
      if (isFault(why) && failureOf(why) === 'unreachable') reach?.lost(why, this.#probe)
      throw why
    }
  }

  // Both pools drop a connection that is given back broken; one that still waits is of no use to others.
  async release(): Promise<void> {
    const inner = this.#inner
    const unanswered = this.#unanswered
    this.#inner = undefined
    this.#unanswered = undefined
    if (inner === undefined) return
    const giveBack = () => this.#o.inner.releaseConnection(inner)
    if (unanswered === undefined) return await giveBack()
    const rollBack = () => this.#o.inner.rollbackTransaction(inner)
    unanswered
      .then(rollBack, rollBack)
      .then(giveBack, giveBack)
      .catch(() => undefined)
  }

  async begin(settings: TransactionSettings): Promise<void> {
    await this.#again(true, (inner) => this.#o.inner.beginTransaction(inner, settings))
    this.#inTransaction = true
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    // What is not committed on a lost connection is rolled back by the server; for one that still waits see `release`.
    if (how === 'rollback' && (this.#isLost || this.#unanswered !== undefined)) {
      this.#inTransaction = false
      return
    }
    const { inner } = this.#o
    try {
      if (how === 'commit') await this.#once((connection) => inner.commitTransaction(connection))
      else await this.#once((connection) => inner.rollbackTransaction(connection))
      this.#inTransaction = false
    } catch (error) {
      if (how === 'commit') throw error
      this.#inTransaction = false
    }
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const parameters = query.parameters.some(isForeign) ? query.parameters.map(toServer) : query.parameters
    const sent = parameters === query.parameters ? query : { ...query, parameters }
    const run = (inner: DatabaseConnection) => inner.executeQuery<R>(sent)
    return this.#inTransaction ? this.#once(run) : this.#again(isRead(query), run)
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface has it; nothing here reads row by row.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Rows are not streamed from this database.')
  }

  readonly #probe = async (): Promise<void> => {
    const { inner } = this.#o
    const connection = await inner.acquireConnection()
    try {
      await connection.executeQuery(CompiledQuery.raw('select 1'))
    } finally {
      await inner.releaseConnection(connection)
    }
  }

  async #ask<R>(run: (inner: DatabaseConnection) => Promise<R>): Promise<R> {
    const { reach, url } = this.#o
    if (reach === undefined) return await run(this.#inner!)
    reach.assertThere()
    const running = run(this.#inner!)
    const answered = () => {
      this.#unanswered = undefined
    }
    this.#unanswered = running
    running.then(answered, answered)
    return await reach.answer(running, serverName(url), this.#probe)
  }

  async #once<R>(run: (inner: DatabaseConnection) => Promise<R>): Promise<R> {
    try {
      return await this.#ask(run)
    } catch (error) {
      if (failureOf(error) === 'lost') this.#isLost = true
      throw explain(error, this.#o.url)
    }
  }

  async #again<R>(isHarmless: boolean, run: (inner: DatabaseConnection) => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(run)
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'lost' && isHarmless && attempt < lostTries) await this.renew()
        else if (failure === 'deadlock' && attempt <= this.#o.settings.dbMaxRetries) await backOff(attempt)
        else throw error
      }
    }
  }
}

const isRead = ({ query, sql }: CompiledQuery): boolean =>
  query.kind === 'SelectQueryNode' || (query.kind === 'RawNode' && /^\s*select\b/i.test(sql))

const isForeign = (value: unknown): boolean =>
  typeof value === 'boolean' || value === undefined || (typeof value === 'object' && value !== null)

// As SQLite takes them. The drivers would write an object as a list of assignments, or as JSON: never meant here.
function toServer(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    throw new TypeError('An object or array was given as the value of a column.')
  return value
}
