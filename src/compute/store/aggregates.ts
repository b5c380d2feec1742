/** Groups of hosts with metadata; one with `availability_zone` among it makes a zone. */
import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { type Db, isUniqueViolation } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import { gathered } from '../../base/gathered.ts'
import { newUuid } from '../../base/ids.ts'
import type { AggregatesTable, ApiTables } from './api-tables.ts'

export interface Aggregate extends Selectable<AggregatesTable> {
  hosts: string[]
  metadata: Record<string, string>
}

const aggregateNotFound = (id: string | number) =>
  new Fault('not-found', `Aggregate ${id} could not be found.`, { what: 'Aggregate', id })

/** All, or those that a host is in. */
export async function listAggregates(
  db: Db<ApiTables>,
  filter: { host?: string; id?: number } = {},
): Promise<Aggregate[]> {
  let query = db.selectFrom('aggregates').selectAll().orderBy('id')
  const { host, id } = filter
  if (id !== undefined) query = query.where('id', '=', id)
  if (host !== undefined) {
    query = query.where('id', 'in', (eb) =>
      eb.selectFrom('aggregate_hosts').select('aggregate_id').where('host', '=', host),
    )
  }
  const rows = await query.execute()
  if (rows.length === 0) return []
  const found = new Map(rows.map((row): [number, Aggregate] => [row.id, { ...row, hosts: [], metadata: {} }]))
  const ids = [...found.keys()]
  const hosts = await db
    .selectFrom('aggregate_hosts')
    .selectAll()
    .where('aggregate_id', 'in', ids)
    .orderBy('id')
    .execute()
  for (const row of hosts) found.get(row.aggregate_id)!.hosts.push(row.host)
  const metadata = await db
    .selectFrom('aggregate_metadata')
    .selectAll()
    .where('aggregate_id', 'in', ids)
    .orderBy('id')
    .execute()
  for (const row of metadata) found.get(row.aggregate_id)!.metadata[row.key] = row.value
  return [...found.values()]
}

export async function getAggregate(db: Db<ApiTables>, id: number): Promise<Aggregate> {
  const [found] = await listAggregates(db, { id })
  if (found === undefined) throw aggregateNotFound(id)
  return found
}

const selectZones = statement((db: Db<ApiTables>) =>
  db
    .selectFrom('aggregate_hosts')
    .innerJoin('aggregate_metadata', 'aggregate_metadata.aggregate_id', 'aggregate_hosts.aggregate_id')
    .select(['aggregate_hosts.host', 'aggregate_metadata.value'])
    .where('aggregate_metadata.key', '=', 'availability_zone'),
)

/** Which zone each host is in that is in one; the others are in the default zone. */
export const listHostZones = (db: Db<ApiTables>): Promise<ReadonlyMap<string, string>> => readZones(db, [])

const readZones = gathered(async (db: Db<ApiTables>, _all: readonly string[]) => {
  const { rows } = await selectZones(db, {})
  return new Map(rows.map((row) => [row.host, row.value]))
})

export async function insertAggregate(
  db: Db<ApiTables>,
  name: string,
  metadata: Readonly<Record<string, string>>,
): Promise<Aggregate> {
  const { id } = await db
    .insertInto('aggregates')
    .values({ uuid: newUuid(), name, created_at: timestamp(), updated_at: null })
    .returning('id')
    .executeTakeFirstOrThrow()
    .catch((error) => throwTaken(error, name))
  await setAggregateMetadata(db, id, metadata)
  return await getAggregate(db, id)
}

function throwTaken(error: unknown, name: string): never {
  if (isUniqueViolation(error)) throw new Fault('conflict', `Aggregate ${name} already exists.`)
  throw error
}

export async function renameAggregate(db: Db<ApiTables>, id: number, name: string): Promise<void> {
  await db
    .updateTable('aggregates')
    .set({ name, updated_at: timestamp() })
    .where('id', '=', id)
    .execute()
    .catch((error) => throwTaken(error, name))
}

/** Sets keys; null removes one. */
export async function setAggregateMetadata(
  db: Db<ApiTables>,
  id: number,
  changes: Readonly<Record<string, string | null>>,
): Promise<void> {
  const keys = Object.keys(changes)
  if (keys.length === 0) return
  await db.deleteFrom('aggregate_metadata').where('aggregate_id', '=', id).where('key', 'in', keys).execute()
  const rows = Object.entries(changes).flatMap(([key, value]) =>
    value === null ? [] : [{ aggregate_id: id, key, value }],
  )
  if (rows.length > 0) await db.insertInto('aggregate_metadata').values(rows).execute()
  await db.updateTable('aggregates').set({ updated_at: timestamp() }).where('id', '=', id).execute()
}

/** False when the host is in the aggregate already. */
export async function addAggregateHost(db: Db<ApiTables>, id: number, host: string): Promise<boolean> {
  try {
    await db.insertInto('aggregate_hosts').values({ aggregate_id: id, host }).execute()
    return true
  } catch (error) {
    if (isUniqueViolation(error)) return false
    throw error
  }
}

/** False when the host was not in the aggregate. */
export async function removeAggregateHost(db: Db<ApiTables>, id: number, host: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('aggregate_hosts')
    .where('aggregate_id', '=', id)
    .where('host', '=', host)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export async function deleteAggregate(db: Db<ApiTables>, id: number): Promise<void> {
  await db.deleteFrom('aggregate_metadata').where('aggregate_id', '=', id).execute()
  await db.deleteFrom('aggregates').where('id', '=', id).execute()
}
