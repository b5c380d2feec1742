/**
 * Delivers what compute is to be told: in order, in batches, again until compute took it, also after a restart. Each
 * event is one process's; those of a process that died become another's.
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
  /** There is something new. */
  wake(): void
}

const batchSize = 100
const firstWaitMilliseconds = 500
const longestWaitMilliseconds = 30_000
/** Longer than a delivery may take. */
const leaseMilliseconds = 120_000
/** How often each process looks for events that are nobody's any more. */
const lookMilliseconds = 20_000

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
    .limit(batchSize),
)

const deleteEvents = byIdsIn<Tables, number>()((db, ids) =>
  db.deleteFrom('compute_events').where('id', 'in', ids),
)

export function createOutbox(deps: { db: Kysely<Tables>; send: SendEvents; log: Logger }): Outbox {
  let running: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined
  let wait = firstWaitMilliseconds
  let stopped = false
  const owner = newUuid()

  /** Takes what is nobody's, and holds what is ours already for longer. */
  async function take(): Promise<void> {
    const now = Date.now()
    const until = new Date(now + leaseMilliseconds).toISOString()
    await takeEvents(deps.db, { owner, now: new Date(now).toISOString(), until })
  }

  /** False when compute could not be reached. */
  async function deliverBatch(): Promise<'empty' | 'more' | 'failed'> {
    await take()
    const { rows } = await readEvents(deps.db, { owner })
    if (rows.length === 0) return 'empty'
    try {
      await deps.send(rows.map((row) => JSON.parse(row.event) as ComputeEvent))
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
    const ids = rows.map((row) => row.id)
    await deleteEvents(deps.db, ids)
    // Who adds one meanwhile wakes this again.
    return rows.length < batchSize ? 'empty' : 'more'
  }

  async function run(): Promise<void> {
    do {
      again = false
      const result = await deliverBatch()
      if (result === 'failed') {
        again = false
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

  const looking = setInterval(wake, lookMilliseconds).unref()
  wake()
  return {
    wake,
    async [Symbol.asyncDispose]() {
      stopped = true
      clearTimeout(timer)
      clearInterval(looking)
      await running
    },
  }
}
