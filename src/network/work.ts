/**
 * One change of Network's database, and whom to tell of it once it is committed. A change that meets another's row
 * under a unique key starts again: that is how addresses, MACs and segments are settled between parallel requests. So
 * does one whose network, port or group was deleted meanwhile: it finds that out then, and says so.
 */
import type { Kysely, Transaction } from 'kysely'
import { type Clock, timestamp } from '../base/clock.ts'
import { failureOf } from '../base/db/failures.ts'
import { insertStatement } from '../base/db/statement.ts'
import { inTransaction } from '../base/db/transaction.ts'
import type { NetworkOptions } from './config.ts'
import type { ComputeEvent } from './events/compute-event.ts'
import type { Outbox } from './events/outbox.ts'
import { Changes } from './rpc/changes.ts'
import { logChanges } from './store/agent-changes.ts'
import type { Tables } from './store/tables.ts'

export interface Work {
  readonly db: Transaction<Tables>
  /** The time of the change, as it is stored. */
  readonly now: string
  readonly options: NetworkOptions
  /** What the agents must be told. */
  readonly changes: Changes
  /** Tells compute, after the commit and however often it takes. */
  tellCompute(event: ComputeEvent): Promise<void>
}

export interface WorkDeps {
  db: Kysely<Tables>
  options: NetworkOptions
  clock: Clock
  /** Called after each commit that changed something for agents. */
  wakeAgents(changes: Changes): void
  /** Undefined where nobody wants to hear of ports. */
  outbox: Pick<Outbox, 'mark' | 'wake'> | undefined
}

const insertEvent = insertStatement<Tables, 'compute_events'>('compute_events')

const tries = 20
const danglingTries = 3

/** Runs one change in one transaction. */
export async function inWork<T>(deps: WorkDeps, change: (work: Work) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const changes = new Changes()
    let told = false
    const now = timestamp(deps.clock)
    try {
      const result = await inTransaction(deps.db, async (db) => {
        changes.clear()
        told = false
        const made = await change({
          db,
          now,
          options: deps.options,
          changes,
          tellCompute: async (event) => {
            if (deps.outbox === undefined) return
            told = true
            const row = { event: JSON.stringify(event), created_at: now, ...deps.outbox.mark() }
            await insertEvent(db, row)
          },
        })
        if (!changes.empty || changes.views) await logChanges(db, changes.toText(), now)
        return made
      })
      if (!changes.empty) deps.wakeAgents(changes)
      if (told) deps.outbox?.wake()
      return result
    } catch (error) {
      const failure = failureOf(error)
      if (failure === 'duplicate' ? attempt >= tries : failure !== 'dangling' || attempt >= danglingTries)
        throw error
    }
  }
}
