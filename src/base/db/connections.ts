/**
 * The connections of a process to a database on a server. A process that is busy waits a moment for one of those that it
 * keeps before it opens another, one at a time: many take more of the server's work than few, and there are other
 * processes. A server that has none to spare is asked again, ever more seldom, while those that come free are used.
 */
import type { QueryResult } from 'kysely'
import { Fault } from '../errors.ts'
import { failureOf, serverName } from './failures.ts'
import { type DatabaseSettings, poolLimit } from './options.ts'
import type { ServerUrl } from './url.ts'

/** A connection as a database's driver makes it. */
export interface RawConnection {
  run<R>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>>
  /** Says goodbye. */
  end(): Promise<void>
  /** Closes the socket. */
  cut(): void
}

export interface ConnectionsOptions {
  url: ServerUrl
  settings: DatabaseSettings
  /** Opens one; `onLost` is called once it is of no more use, whoever closed it. */
  connect(onLost: () => void): Promise<RawConnection>
}

interface Waiter {
  /** Who came first has the lower one. */
  number: number
  since: number
  /** Nobody waits after it. */
  isLate: boolean
  resolve: (connection: RawConnection) => void
  reject: (error: unknown) => void
  deadline: NodeJS.Timeout
}

/** How long one who comes waits for an open connection before another is opened beside those that are kept. */
const patienceMilliseconds = 20
/** The most between two attempts at a server that has no connection to spare. */
const mostPatienceMilliseconds = 1000
/** Connections beside those that are kept are of use again when the next wave of work comes within that time. */
const idleMilliseconds = 10_000
/** A statement that takes longer is not waited for when the database is closed. */
const closingMilliseconds = 2000

export class Connections {
  readonly #o: ConnectionsOptions
  readonly #kept: number
  readonly #most: number
  /** When each was opened, in milliseconds since the epoch. */
  readonly #open = new Map<RawConnection, number>()
  /** The one that is free for longest comes first; the last is taken. */
  readonly #free: { connection: RawConnection; since: number }[] = []
  readonly #waiting: Waiter[] = []
  readonly #whenClosed: (() => void)[] = []
  #came = 0
  #connecting = 0
  #patience = patienceMilliseconds
  /** The answer of a server that has no connection to spare, until it has. */
  #refused: unknown
  #grownAt = 0
  #growing: NodeJS.Timeout | undefined
  #trimming: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: ConnectionsOptions) {
    this.#o = options
    this.#most = poolLimit(options.settings)
    this.#kept = Math.min(this.#most, Math.max(1, options.settings.maxPoolSize))
  }

  /** One that is open and free. */
  takeFree(): RawConnection | undefined {
    return this.#free.pop()?.connection
  }

  /** One that is free, now or soon, or a new one. */
  async take(): Promise<RawConnection> {
    const free = this.takeFree()
    if (free !== undefined) return free
    if (this.#isClosed) throw closed()
    return await new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#giveUp(waiter), this.#o.settings.poolTimeout * 1000)
      const waiter: Waiter = {
        number: this.#came++,
        since: Date.now(),
        isLate: false,
        resolve,
        reject,
        deadline,
      }
      this.#waiting.push(waiter)
      this.#grow()
    })
  }

  giveBack(connection: RawConnection): void {
    const openedAt = this.#open.get(connection)
    if (openedAt === undefined) return
    const { connectionRecycleTime } = this.#o.settings
    const now = Date.now()
    if (this.#isClosed || (connectionRecycleTime > 0 && now - openedAt > connectionRecycleTime * 1000)) {
      this.#end(connection)
      return
    }
    const waiter = this.#waiting.shift()
    if (waiter !== undefined) {
      this.#serve(waiter, connection)
      return
    }
    this.#free.push({ connection, since: now })
    this.#trim()
  }

  /** One that is broken. */
  drop(connection: RawConnection): void {
    connection.cut()
    this.#forget(connection)
  }

  /** Resolves when all are closed, and their statements under way done with. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#growing)
    clearTimeout(this.#trimming)
    for (const waiter of this.#waiting.splice(0)) this.#refuse(waiter, closed())
    for (const { connection } of this.#free.splice(0)) this.#end(connection)
    if (this.#open.size + this.#connecting === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#whenClosed.push(resolve)
    const late = setTimeout(() => {
      for (const connection of [...this.#open.keys()]) connection.cut()
      resolve()
    }, closingMilliseconds)
    await promise
    clearTimeout(late)
  }

  #serve(waiter: Waiter, connection: RawConnection): void {
    clearTimeout(waiter.deadline)
    waiter.resolve(connection)
  }

  #refuse(waiter: Waiter, error: unknown): void {
    clearTimeout(waiter.deadline)
    waiter.reject(error)
  }

  /** Opens what those who wait may have by now, and comes again when they may have more. */
  #grow(): void {
    clearTimeout(this.#growing)
    for (;;) {
      const [first] = this.#waiting
      const count = this.#open.size + this.#connecting
      if (first === undefined || count >= this.#most) return
      const mayWait = count >= this.#kept || this.#refused !== undefined
      const wait = Math.max(first.since, this.#grownAt) + this.#patience - Date.now()
      if (mayWait && wait > 0) {
        this.#growing = setTimeout(() => this.#grow(), wait)
        return
      }
      this.#grownAt = Date.now()
      this.#waiting.shift()
      void this.#openFor(first)
    }
  }

  async #openFor(waiter: Waiter): Promise<void> {
    this.#connecting++
    let opened: RawConnection | undefined
    try {
      const connection = await this.#o.connect(() => opened !== undefined && this.#forget(opened))
      opened = connection
      this.#open.set(connection, Date.now())
      this.#refused = undefined
      this.#patience = patienceMilliseconds
      if (this.#isClosed) this.#end(connection)
      this.#serve(waiter, connection)
    } catch (error) {
      if (failureOf(error) === 'full' && !waiter.isLate && !this.#isClosed) {
        this.#refused = error
        this.#patience = Math.min(this.#patience * 2, mostPatienceMilliseconds)
        this.#waitOn(waiter)
      } else {
        this.#refuse(waiter, error)
        // Nothing is open that could serve them.
        if (this.#open.size === 0) for (const other of this.#waiting.splice(0)) this.#refuse(other, error)
      }
    } finally {
      this.#connecting--
      this.#changed()
    }
  }

  #waitOn(waiter: Waiter): void {
    const at = this.#waiting.findIndex((other) => other.number > waiter.number)
    this.#waiting.splice(at === -1 ? this.#waiting.length : at, 0, waiter)
  }

  #giveUp(waiter: Waiter): void {
    waiter.isLate = true
    const at = this.#waiting.indexOf(waiter)
    // One is being opened for it; what becomes of that decides.
    if (at === -1) return
    this.#waiting.splice(at, 1)
    waiter.reject(this.#refused ?? this.#allInUse())
  }

  #allInUse(): Fault {
    const { url, settings } = this.#o
    const where = `${serverName(url)} for database ${url.database}`
    const why = `All ${this.#most} connections of this process to ${where} were in use for ${settings.poolTimeout} s`
    return new Fault('unavailable', `${why}: raise max_overflow, or look what takes so long.`, {
      failure: 'full',
    })
  }

  #end(connection: RawConnection): void {
    connection.end().catch(() => connection.cut())
    this.#forget(connection)
  }

  #forget(connection: RawConnection): void {
    if (!this.#open.delete(connection)) return
    const at = this.#free.findIndex((free) => free.connection === connection)
    if (at !== -1) this.#free.splice(at, 1)
    this.#changed()
  }

  #changed(): void {
    if (!this.#isClosed) this.#grow()
    else if (this.#open.size + this.#connecting === 0)
      for (const resolve of this.#whenClosed.splice(0)) resolve()
  }

  /** Ends those beyond what is kept that nobody needed for long. */
  #trim(): void {
    if (this.#open.size <= this.#kept || this.#trimming !== undefined) return
    this.#trimming = setTimeout(() => {
      this.#trimming = undefined
      const now = Date.now()
      while (this.#open.size > this.#kept && now - (this.#free[0]?.since ?? now) >= idleMilliseconds / 2)
        this.#end(this.#free.shift()!.connection)
      if (!this.#isClosed) this.#trim()
    }, idleMilliseconds).unref()
  }
}

const closed = () => new Fault('unavailable', 'The database was closed.')
