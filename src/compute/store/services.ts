import type { Selectable } from 'kysely'
import { type Clock, systemClock, timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import { gathered } from '../../base/gathered.ts'
import { newUuid } from '../../base/ids.ts'
import type { CellTables, ServicesTable } from './cell-tables.ts'

export type ServiceRow = Selectable<ServicesTable>

/** The version that nova Zed's services report. */
export const serviceVersion = 66

export interface ServiceFilter {
  host?: string
  hosts?: readonly string[]
  binary?: string
}

export function listServices(db: Db<CellTables>, filter: ServiceFilter = {}): Promise<ServiceRow[]> {
  let query = db.selectFrom('services').selectAll().where('deleted', '=', 0).orderBy('id')
  if (filter.host !== undefined) query = query.where('host', '=', filter.host)
  if (filter.hosts !== undefined) query = query.where('host', 'in', [...filter.hosts])
  if (filter.binary !== undefined) query = query.where('binary', '=', filter.binary)
  return query.execute()
}

export function findService(db: Db<CellTables>, uuid: string): Promise<ServiceRow | undefined> {
  return db
    .selectFrom('services')
    .selectAll()
    .where('uuid', '=', uuid)
    .where('deleted', '=', 0)
    .executeTakeFirst()
}

const byHosts = byIdsIn<CellTables>()((db, hosts) =>
  db
    .selectFrom('services')
    .selectAll()
    .where('deleted', '=', 0)
    .where('host', 'in', hosts)
    .where('binary', '=', 'nova-compute'),
)

/** The compute services of these hosts, by host. */
export const computeServicesOf = gathered(async (db: Db<CellTables>, hosts: readonly string[]) => {
  const rows = await byHosts(db, hosts)
  return new Map(rows.map((row) => [row.host, row]))
})

/** Notes that these hosts' services live; those not known yet are made. */
export async function reportServices(
  db: Db<CellTables>,
  binary: string,
  topic: string,
  hosts: readonly string[],
): Promise<void> {
  const now = timestamp()
  const { numUpdatedRows } = await db
    .updateTable('services')
    .set((e) => ({ last_seen_up: now, report_count: e('report_count', '+', 1), updated_at: now }))
    .where('binary', '=', binary)
    .where('host', 'in', hosts)
    .where('deleted', '=', 0)
    .executeTakeFirstOrThrow()
  if (Number(numUpdatedRows) === hosts.length) return
  const known = new Set((await listServices(db, { binary, hosts })).map((row) => row.host))
  for (const host of hosts) if (!known.has(host)) await insertService(db, { host, binary, topic, now })
}

async function insertService(
  db: Db<CellTables>,
  service: { host: string; binary: string; topic: string; now: string },
): Promise<void> {
  const { now, ...names } = service
  const row = {
    ...names,
    uuid: newUuid(),
    report_count: 1,
    disabled: 0,
    disabled_reason: null,
    last_seen_up: now,
    forced_down: 0,
    version: serviceVersion,
    created_at: now,
    updated_at: now,
    deleted_at: null,
    deleted: 0,
  }
  // Two reports at once: the other one made it. An error would end the transaction on PostgreSQL.
  await db
    .insertInto('services')
    .values(row)
    .onConflict((conflict) => conflict.columns(['host', 'binary', 'deleted']).doNothing())
    .execute()
}

export async function updateService(
  db: Db<CellTables>,
  uuid: string,
  changes: Partial<Pick<ServiceRow, 'disabled' | 'disabled_reason' | 'forced_down'>>,
): Promise<void> {
  await db
    .updateTable('services')
    .set({ ...changes, updated_at: timestamp() })
    .where('uuid', '=', uuid)
    .execute()
}

const automatic = 'AUTO: '

/**
 * A compute service disables itself with a reason, and enables itself when that is gone. As in nova, `AUTO:` before the
 * reason tells it from what an administrator disabled, which stays as it is.
 */
export async function disableByItself(
  db: Db<CellTables>,
  host: string,
  reason: string | undefined,
): Promise<void> {
  const changes =
    reason === undefined
      ? { disabled: 0, disabled_reason: null }
      : { disabled: 1, disabled_reason: `${automatic}${reason}`.slice(0, 255) }
  await db
    .updateTable('services')
    .set({ ...changes, updated_at: timestamp() })
    .where('binary', '=', 'nova-compute')
    .where('host', '=', host)
    .where('deleted', '=', 0)
    .where((e) =>
      e.or([
        e('disabled_reason', 'like', `${automatic}%`),
        ...(reason === undefined ? [] : [e('disabled', '=', 0)]),
      ]),
    )
    .execute()
}

export async function deleteService(db: Db<CellTables>, uuid: string): Promise<void> {
  await db
    .updateTable('services')
    .set((e) => ({ deleted: e.ref('id'), deleted_at: timestamp() }))
    .where('uuid', '=', uuid)
    .execute()
}

/** A service is up when it reported within so many seconds (`service_down_time`) and is not forced down. */
export function isUp(
  service: Pick<ServiceRow, 'forced_down' | 'last_seen_up'>,
  downSeconds: number,
  clock: Clock = systemClock,
): boolean {
  if (service.forced_down === 1 || service.last_seen_up === null) return false
  return clock.now() - Date.parse(service.last_seen_up) <= downSeconds * 1000
}
