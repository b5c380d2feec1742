/**
 * Delivers what compute is to be told: in order, in batches, again until compute took it, also after a restart. Each
 * event is one process's, of the one that wrote it first; those of a process that died become another's.
 */
import type { Kysely } from 'kysely'
import { byIdsIn } from '../../base/db/by-ids.ts'
import { statement } from '../../base/db/statement.ts'
import { describeError, isFault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'
import type { Logger } from '../../base/log.ts'
import type { Tables } from '../store/tables.ts'
import type { ComputeEvent, SendEvents } from './compute-event.ts'

export interface Outbox extends AsyncDisposable {
  /** What a new event is written with: this process delivers it. */
  mark(): { owner: string; lease_expires_at: string }
  /** There is something new. */
  wake(): void
}

const batchSize = 100
const firstWaitMilliseconds = 500
const longestWaitMilliseconds = 30_000
/** Longer than it takes to begin with a delivery: a process that lives then holds its events for longer. */
const newLeaseMilliseconds = 30_000
/** Longer than a delivery may take. */
const leaseMilliseconds = 120_000
/** A delivery that takes so long holds its events for longer. */
const longDeliveryMilliseconds = 5000
/** How often each process looks for events that are nobody's any more. */
const lookMilliseconds = 20_000
/** Events that were delivered are deleted together: after this time, or when there are many. */
const deleteMilliseconds = 1000

const takeEvents = statement((db: Kysely<Tables>, p: { owner: string; now: string; until: string }) =>
  db
    .updateTable('compute_events')
    .set({ owner: p.owner, lease_expires_at: p.until })
    .where((e) => e.or([e('lease_expires_at', '<', p.now), e('owner', '=', p.owner)])),
)

const readEvents = statement((db: Kysely<Tables>, p: { owner: string }) =>
  db
    .selectFrom('compute_events')
    .select(['id', 'event'])
    .where('owner', '=', p.owner)
    .orderBy('id')
    // There may be so many that are delivered and not deleted yet.
    .limit(2 * batchSize),
)

const releaseEvents = statement((db: Kysely<Tables>, p: { owner: string }) =>
  db.updateTable('compute_events').set({ owner: '', lease_expires_at: '' }).where('owner', '=', p.owner),
)

const deleteEvents = byIdsIn<Tables, number>()((db, ids) =>
  db.deleteFrom('compute_events').where('id', 'in', ids),
)

const later = (milliseconds: number): string => new Date(Date.now() + milliseconds).toISOString()

export function createOutbox(deps: { db: Kysely<Tables>; send: SendEvents; log: Logger }): Outbox {
  let running: Promise<void> | undefined
  let again = false
  /** There may be events that are nobody's, and ours are to be held for longer. */
  let looking = true
  let timer: NodeJS.Timeout | undefined
  let wait = firstWaitMilliseconds
  let stopped = false
  const owner = newUuid()
  const delivered = new Set<number>()
  let deleting: NodeJS.Timeout | undefined

  /** Takes what is nobody's, and holds what is ours already for longer. */
  async function take(): Promise<void> {
    await takeEvents(deps.db, { owner, now: later(0), until: later(leaseMilliseconds) })
  }

  async function send(events: readonly ComputeEvent[]): Promise<void> {
    const hold = () => take().catch((error: unknown) => deps.log.warn({ err: error }, 'events were not held'))
    const isLong = setTimeout(hold, longDeliveryMilliseconds)
    try {
      await deps.send(events)
    } finally {
      clearTimeout(isLong)
    }
  }

  async function deleteDelivered(): Promise<void> {
    clearTimeout(deleting)
    deleting = undefined
    const ids = [...delivered]
    if (ids.length === 0) return
    await deleteEvents(deps.db, ids)
    for (const id of ids) delivered.delete(id)
  }

  /** `failed` when compute could not be reached. */
  async function deliverBatch(): Promise<'empty' | 'more' | 'failed'> {
    if (looking) {
      looking = false
      await take()
    }
    if (delivered.size >= batchSize) await deleteDelivered()
    const { rows } = await readEvents(deps.db, { owner })
    const due = rows.filter((row) => !delivered.has(row.id)).slice(0, batchSize)
    if (due.length === 0) return 'empty'
    try {
      await send(due.map((row) => JSON.parse(row.event) as ComputeEvent))
    } catch (error) {
      // What compute refuses for good would be refused again.
      const passing = !isFault(error) || ['unavailable', 'unauthenticated', 'bug'].includes(error.kind)
      if (passing) {
        deps.log.warn(
          { reason: describeError(error), retryMilliseconds: wait },
          'compute was not told of ports',
        )
        return 'failed'
      }
      deps.log.warn({ reason: describeError(error) }, 'compute refused events of ports')
    }
    for (const row of due) delivered.add(row.id)
    deleting ??= setTimeout(deleteInTime, deleteMilliseconds)
    // Who adds one meanwhile wakes this again.
    return due.length < batchSize ? 'empty' : 'more'
  }

  async function run(): Promise<void> {
    do {
      again = false
      const result = await deliverBatch()
      if (result === 'failed') {
        again = false
        looking = true
        timer = setTimeout(wake, wait)
        wait = Math.min(wait * 2, longestWaitMilliseconds)
        return
      }
      wait = firstWaitMilliseconds
      if (result === 'more') again = true
    } while (again && !stopped)
  }

  function wake(): void {
    if (stopped) return
    again = true
    if (running !== undefined) return
    clearTimeout(timer)
    running = run()
      .catch((error: unknown) => deps.log.error({ err: error }, 'events for compute could not be read'))
      .finally(() => {
        running = undefined
        if (again) wake()
      })
  }

  function deleteInTime(): void {
    deleteDelivered().catch((error: unknown) => {
      // They are known as delivered, and deleted with the next ones.
      deps.log.warn({ err: error }, 'events that were delivered could not be deleted')
    })
  }

  /** Others need not wait for the lease to end. */
  async function release(): Promise<void> {
    await deleteDelivered()
    await releaseEvents(deps.db, { owner })
  }

  const look = () => {
    looking = true
    wake()
  }
  const timerOfLooks = setInterval(look, lookMilliseconds).unref()
  wake()
  return {
    mark: () => ({ owner, lease_expires_at: later(newLeaseMilliseconds) }),
    wake,
    async [Symbol.asyncDispose]() {
      stopped = true
      clearTimeout(timer)
      clearInterval(timerOfLooks)
      await running
      await release().catch((error: unknown) => deps.log.warn({ err: error }, 'events were not released'))
    },
  }
}
