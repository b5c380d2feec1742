import type { Kysely } from 'kysely'
import { inTransaction } from '../../base/db/transaction.ts'
import { isOneWriter, takeTurn } from '../../base/db/turns.ts'
import { Fault } from '../../base/errors.ts'
import { inOrder } from '../../base/task/in-order.ts'
import { groupRefuses } from '../scheduler/filters/server-group.ts'
import { schedulingContext } from '../scheduler/scheduling-context.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import type { RequestSpec } from '../store/request-specs.ts'

interface Deps {
  apiDb: Kysely<ApiTables>
  cells: { withHosts(): readonly CellDb[] }
}

/** A turn holds a connection while it waits: one of each process at a time, or they would have all there are. */
const ordered = inOrder()

/**
 * Writes down in its cell, by `record`, which host a server is built on. Servers of one group do so one at a time, and
 * only while the group's policy allows the host: schedulers of several processes may have chosen at once, none of them
 * knowing of the other's choice. Throws `unavailable`, details.groupPolicy, when it does not.
 */
export async function inGroupTurn(
  { apiDb, cells }: Deps,
  spec: RequestSpec,
  host: string,
  record: () => Promise<void>,
): Promise<void> {
  const { groupUuid } = spec
  if (groupUuid === null || spec.forceHost !== null || spec.forceNode !== null) return await record()
  const recordIfAllowed = async (db: Kysely<ApiTables>) => {
    const context = await schedulingContext({ apiDb: db, cells: cells.withHosts }, spec, new Map())
    const why = groupRefuses(host, context)
    if (why !== undefined) throw new Fault('unavailable', `${host}: ${why}.`, { groupPolicy: true })
    await record()
  }
  // One process has the whole database, and its one scheduler knows what it chose.
  if (isOneWriter(apiDb)) return await recordIfAllowed(apiDb)
  await ordered('', () =>
    inTransaction(apiDb, async (transaction) => {
      await takeTurn(transaction, `server_group:${groupUuid}`)
      await recordIfAllowed(transaction)
    }),
  )
}
