/** Runs flows: those it is woken for, and those whose runner died. */
import type { Kysely } from 'kysely'
import { timestamp } from '../clock.ts'
import type { Db } from '../db/database.ts'
import { Fault } from '../errors.ts'
import { newUuid } from '../ids.ts'
import { type Logger, withLogContext } from '../log.ts'
import type { ErasedFlow } from './flow.ts'
import { backoffSeconds, type Outcome, runFlow, stopping } from './run-flow.ts'
import {
  claimFlow,
  type FlowRow,
  type FlowTables,
  findNextFlow,
  flowDb,
  freeFlowsOf,
  listFlowOwners,
  listFreeSubjects,
  notBegun,
  renewLeases,
} from './store.ts'

export interface FlowRunnerOptions<T extends FlowTables, Deps> {
  db: Kysely<T>
  flows: readonly ErasedFlow<Deps>[]
  deps: Deps
  /** Who runs them, such as `host:boot-id`; the runner adds what tells it from its predecessors. */
  owner: string
  log: Logger
  leaseSeconds?: number
  /** Tells of another owner whether it is certainly dead: what it holds need not run out then. */
  isDead?: (owner: string) => boolean
  /** Told of a subject whose next flow another runner holds: that one is to `look`, for another waits behind it. */
  onHeld?: (subject: string) => void
  /** Flows at once. */
  concurrency?: number
}

export interface FlowRunner extends AsyncDisposable {
  /** Takes over what a predecessor left, and looks for free flows from now on. */
  start(): Promise<void>
  /** A flow was opened or cancelled on the subject. */
  wake(subject: string): void
  /** As `wake`, when all runners are told. */
  look(subject: string): void
  /** Wakes, and waits until nothing is left to run on the subject. */
  runToEnd(subject: string): Promise<void>
}

export function createFlowRunner<T extends FlowTables, Deps>(
  options: FlowRunnerOptions<T, Deps>,
): FlowRunner {
  return new Runner<Deps>({ ...options, db: flowDb(options.db) })
}

type Options<Deps> = Omit<FlowRunnerOptions<FlowTables, Deps>, 'db'> & { db: Db<FlowTables> }

interface Active {
  ended: Promise<void>
  abort: AbortController
  row?: FlowRow
  wokenAgain: boolean
  /** Nobody else was told of the subject. */
  toldAlone: boolean
}

class Runner<Deps> implements FlowRunner {
  readonly #o: Options<Deps>
  readonly #owner: string
  readonly #flows: ReadonlyMap<string, ErasedFlow<Deps>>
  readonly #active = new Map<string, Active>()
  readonly #waiting = new Set<string>()
  readonly #backoffs = new Set<NodeJS.Timeout>()
  readonly #leaseSeconds: number
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> | undefined
  #stopped = false

  constructor(options: Options<Deps>) {
    this.#o = options
    this.#owner = `${options.owner}:${newUuid()}`
    this.#flows = new Map(options.flows.map((flow) => [flow.kind, flow]))
    this.#leaseSeconds = options.leaseSeconds ?? 60
  }

  async start(): Promise<void> {
    await this.#sweep()
    this.#timer = setInterval(
      () => {
        this.#sweeping ??= this.#sweep()
          .catch((error: unknown) => this.#o.log.error({ err: error }, 'looking for free flows failed'))
          .finally(() => {
            this.#sweeping = undefined
          })
      },
      (this.#leaseSeconds * 1000) / 4,
    ).unref()
  }

  wake(subject: string): void {
    this.#look(subject, true)
  }

  look(subject: string): void {
    this.#look(subject, false)
  }

  #look(subject: string, toldAlone: boolean): void {
    if (this.#stopped) return
    const active = this.#active.get(subject)
    if (active !== undefined) {
      active.wokenAgain = true
      active.toldAlone ||= toldAlone
      void this.#checkCancelled(active)
    } else if (this.#active.size >= (this.#o.concurrency ?? 400)) this.#waiting.add(subject)
    else this.#begin(subject, toldAlone)
  }

  async runToEnd(subject: string): Promise<void> {
    this.wake(subject)
    while (this.#active.has(subject) || this.#waiting.has(subject)) {
      await (this.#active.get(subject)?.ended ?? this.#active.values().next().value?.ended)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const timer of this.#backoffs) clearTimeout(timer)
    this.#waiting.clear()
    for (const active of this.#active.values()) active.abort.abort(stopping)
    await this.#sweeping
    await Promise.all([...this.#active.values()].map((active) => active.ended))
  }

  #begin(subject: string, toldAlone: boolean): void {
    const abort = new AbortController()
    const active: Active = { ended: Promise.resolve(), abort, wokenAgain: false, toldAlone }
    this.#active.set(subject, active)
    active.ended = this.#work(subject, active)
      .catch((error: unknown) => this.#o.log.error({ err: error, subject }, 'running a flow failed'))
      .finally(() => {
        this.#active.delete(subject)
        if (active.wokenAgain) this.#look(subject, active.toldAlone)
        const [next] = this.#waiting
        if (next === undefined || this.#stopped) return
        this.#waiting.delete(next)
        this.wake(next)
      })
  }

  async #work(subject: string, active: Active): Promise<void> {
    while (!this.#stopped) {
      active.wokenAgain = false
      const { row, isLast } = await findNextFlow(this.#o.db, subject)
      if (row === undefined) return
      const lease = { owner: this.#owner, lease_expires_at: this.#leaseEnd(), step: this.#stepOf(row) }
      if (row.lease_expires_at > timestamp() || !(await claimFlow(this.#o.db, row, lease))) {
        if (active.toldAlone && !isLast) this.#o.onHeld?.(subject)
        return
      }
      if (!this.#stopped) active.abort = new AbortController()
      active.row = row
      // The row was read before the claim: it may have been cancelled in between.
      if (active.wokenAgain) void this.#checkCancelled(active)
      const outcome = await this.#run(row, active.abort.signal)
      delete active.row
      if (outcome === 'later') this.#wakeLater(subject, row)
      // Whoever opens another flow on the subject after it was looked for wakes this runner.
      if (outcome !== 'ended' || (isLast && !active.wokenAgain)) return
    }
  }

  /** Where a flow is from its claim on: what may have begun is undone when its runner dies and it is cancelled. */
  #stepOf({ kind, state, step }: FlowRow): string {
    if (step !== notBegun || state !== 'running') return step
    return this.#flows.get(kind)?.steps[0]?.name ?? step
  }

  #run(row: FlowRow, signal: AbortSignal): Promise<Outcome> {
    const flow = this.#flows.get(row.kind)
    if (flow === undefined) throw new Fault('bug', `Nobody knows how to run the flow ${row.kind}.`)
    const { db, deps, log } = this.#o
    const context = row.request_id === null ? {} : { requestId: row.request_id }
    return withLogContext(context, () => runFlow({ db, flow, row, owner: this.#owner, deps, log, signal }))
  }

  async #checkCancelled(active: Active): Promise<void> {
    const { row } = active
    if (row === undefined || row.state === 'undoing' || active.abort.signal.aborted) return
    const current = await this.#o.db
      .selectFrom('flows')
      .select(['state', 'error'])
      .where('id', '=', row.id)
      .executeTakeFirst()
    if (current?.state !== 'undoing' || active.row !== row) return
    active.abort.abort(new Fault('gone', 'The work was cancelled.'))
  }

  #wakeLater(subject: string, row: FlowRow): void {
    const milliseconds = backoffSeconds(row.attempts + 1) * 1000
    const timer = setTimeout(() => {
      this.#backoffs.delete(timer)
      this.wake(subject)
    }, milliseconds + 10).unref()
    this.#backoffs.add(timer)
  }

  async #sweep(): Promise<void> {
    const { db, isDead } = this.#o
    // Only of what is worked on: a flow that could not be given back, since the database was away, is to run out.
    const held = [...this.#active.values()].flatMap(({ row }) => row?.id ?? [])
    if (held.length > 0) await renewLeases(db, this.#owner, held, this.#leaseEnd())
    if (isDead !== undefined) {
      for (const owner of await listFlowOwners(db))
        if (owner !== this.#owner && isDead(owner)) await freeFlowsOf(db, owner)
    }
    for (const subject of await listFreeSubjects(db, timestamp())) {
      if (!this.#active.has(subject)) this.wake(subject)
    }
  }

  #leaseEnd(): string {
    return new Date(Date.now() + this.#leaseSeconds * 1000).toISOString()
  }
}
