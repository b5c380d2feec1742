/**
 * What MariaDB and PostgreSQL have in common, around Kysely's driver for either: values as SQLite takes them, errors in
 * words, and second tries where they can do no harm: of a read or a `begin` whose connection was lost, and of a
 * statement by itself that the server gave up because of a deadlock. Whole transactions are run again by `inTransaction`.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from 'kysely'
import { isFault } from '../errors.ts'
import type { Connections, RawConnection } from './connections.ts'
import type { DirectDatabase, DirectResult } from './direct.ts'
import { explain, failureOf, serverName } from './failures.ts'
import type { DatabaseSettings } from './options.ts'
import type { Reach } from './reach.ts'
import type { ServerUrl } from './url.ts'

/** A read that loses its connection is tried so often: a pool may hold a few that a restarted server closed. */
const lostTries = 3

/** Waits before try number `attempt` (from 1), so that those who met do not meet again. */
export const backOff = (attempt: number): Promise<void> => sleep(randomInt(1, 10 * 2 ** Math.min(attempt, 6)))

export interface ServerDriverOptions {
  connections: Connections
  url: ServerUrl
  settings: DatabaseSettings
  /** Remembers whether the server can be reached. */
  reach?: Reach | undefined
}

export class ServerDriver implements Driver, DirectDatabase {
  readonly #o: ServerDriverOptions
  /** Given back. Kysely notes each that it is given, which takes longer than all that is done here. */
  readonly #spare: ServerConnection[] = []

  constructor(options: ServerDriverOptions) {
    this.#o = options
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = this.#spare.pop() ?? new ServerConnection(this.#o)
    if (!connection.renewAtOnce()) await connection.renew()
    return connection
  }

  execute(
    query: CompiledQuery,
    parameters: readonly unknown[],
    inTransaction: boolean,
  ): Promise<DirectResult> | undefined {
    return inTransaction ? undefined : this.#execute(query, parameters)
  }

  async #execute(query: CompiledQuery, parameters: readonly unknown[]): Promise<DirectResult> {
    const connection = this.#spare.pop() ?? new ServerConnection(this.#o)
    try {
      if (!connection.renewAtOnce()) await connection.renew()
      const { rows, numAffectedRows = 0n } = await connection.run(query, parameters)
      return { rows, changed: Number(numAffectedRows) }
    } finally {
      connection.release()
      this.#spare.push(connection)
    }
  }

  beginTransaction(connection: ServerConnection, _settings: TransactionSettings): Promise<void> {
    return connection.begin()
  }

  async commitTransaction(connection: ServerConnection): Promise<void> {
    await connection.end('commit')
  }

  async rollbackTransaction(connection: ServerConnection): Promise<void> {
    await connection.end('rollback')
  }

  async releaseConnection(connection: ServerConnection): Promise<void> {
    connection.release()
    this.#spare.push(connection)
  }

  destroy(): Promise<void> {
    this.#o.reach?.close()
    return this.#o.connections.close()
  }
}

class ServerConnection implements DatabaseConnection {
  readonly #o: ServerDriverOptions
  #inner: RawConnection | undefined
  #inTransaction = false
  #isLost = false
  /** What the server has not answered, when it is known to be away. */
  #unanswered: Promise<unknown> | undefined

  constructor(options: ServerDriverOptions) {
    this.#o = options
  }

  /** Takes a connection of the process that is free, in place of one that was lost; false when there is none. */
  renewAtOnce(): boolean {
    this.release()
    this.#o.reach?.assertThere()
    this.#inner = this.#o.connections.takeFree()
    return this.#inner !== undefined
  }

  /** The same, waiting for one. */
  async renew(): Promise<void> {
    if (this.renewAtOnce()) return
    const { connections, url, reach } = this.#o
    const connecting = connections.take()
    try {
      this.#inner = await (reach?.answer(connecting, serverName(url), this.#probe) ?? connecting)
    } catch (error) {
      // It may come yet, when nobody waits for it.
      connecting.then((late) => connections.giveBack(late)).catch(() => undefined)
      const why = explain(error, url)
      if (isFault(why) && failureOf(why) === 'unreachable') reach?.lost(why, this.#probe)
      throw why
    }
  }

  // One that was lost is of no more use; one that still waits is of none yet.
  release(): void {
    const inner = this.#inner
    const unanswered = this.#unanswered
    const isLost = this.#isLost
    this.#inner = undefined
    this.#unanswered = undefined
    this.#inTransaction = false
    this.#isLost = false
    if (inner === undefined) return
    if (isLost) {
      this.#o.connections.drop(inner)
      return
    }
    const giveBack = () => this.#o.connections.giveBack(inner)
    if (unanswered === undefined) {
      giveBack()
      return
    }
    const rollBack = () => inner.run('rollback', [])
    unanswered
      .then(rollBack, rollBack)
      .then(giveBack, giveBack)
      .catch(() => undefined)
  }

  async begin(): Promise<void> {
    await this.#again(true, (inner) => inner.run('begin', []))
    this.#inTransaction = true
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    // What is not committed on a lost connection is rolled back by the server; for one that still waits see `release`.
    if (how === 'rollback' && (this.#isLost || this.#unanswered !== undefined)) {
      this.#inTransaction = false
      return
    }
    try {
      await this.#once((inner) => inner.run(how, []))
      this.#inTransaction = false
    } catch (error) {
      if (how === 'commit') throw error
      this.#inTransaction = false
    }
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.run(query, query.parameters)
  }

  run<R>(query: CompiledQuery, given: readonly unknown[]): Promise<QueryResult<R>> {
    const parameters = given.some(isForeign) ? given.map(toServer) : given
    const run = (inner: RawConnection) => inner.run<R>(query.sql, parameters)
    return this.#inTransaction ? this.#once(run) : this.#again(isRead(query), run)
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface has it; nothing here reads row by row.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Rows are not streamed from this database.')
  }

  readonly #probe = async (): Promise<void> => {
    const { connections } = this.#o
    const inner = await connections.take()
    try {
      await inner.run('select 1', [])
    } finally {
      connections.giveBack(inner)
    }
  }

  async #ask<R>(run: (inner: RawConnection) => Promise<R>): Promise<R> {
    const { reach, url } = this.#o
    if (reach === undefined) return await run(this.#inner!)
    reach.assertThere()
    const running = run(this.#inner!)
    const answered = () => {
      if (this.#unanswered === running) this.#unanswered = undefined
    }
    this.#unanswered = running
    running.then(answered, answered)
    return await reach.answer(running, serverName(url), this.#probe)
  }

  async #once<R>(run: (inner: RawConnection) => Promise<R>): Promise<R> {
    try {
      return await this.#ask(run)
    } catch (error) {
      if (failureOf(error) === 'lost') this.#isLost = true
      throw explain(withCallers(error), this.#o.url)
    }
  }

  async #again<R>(isHarmless: boolean, run: (inner: RawConnection) => Promise<R>): Promise<R> {
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

/** A driver's error knows the socket that it came from; this adds who asked. */
function withCallers(error: unknown): unknown {
  if (error instanceof Error && !isFault(error))
    error.stack += `\n${new Error().stack?.split('\n').slice(2).join('\n')}`
  return error
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
