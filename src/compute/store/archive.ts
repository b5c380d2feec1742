/** Moves deleted rows of a cell into its shadow tables, and removes them from there. */
import { type Kysely, sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import type { ApiTables } from './api-tables.ts'
import type { CellTables } from './cell-tables.ts'

type Table = keyof CellTables & string

/** What belongs to an instance, with the column that says to which; actions' events are told by their action. */
const partsOfInstances: readonly (readonly [table: Table, column: string])[] = [
  ['instance_extra', 'instance_uuid'],
  ['instance_info_caches', 'instance_uuid'],
  ['instance_metadata', 'instance_uuid'],
  ['instance_system_metadata', 'instance_uuid'],
  ['instance_faults', 'instance_uuid'],
  ['tags', 'resource_id'],
]

/** How many rows of each table were moved. */
export type Archived = Record<string, number>

/**
 * Moves at most `most` deleted instances, services and compute nodes, deleted before the ISO time `before`, with all
 * that belongs to them. One transaction: a row is in one place or the other. `instanceUuids` are the instances moved.
 */
export async function archiveDeleted(
  db: Kysely<CellTables>,
  most: number,
  before: string | undefined,
): Promise<{ archived: Archived; instanceUuids: string[] }> {
  return await inTransaction(db, async (transaction) => {
    const archived: Archived = {}
    const tables = await transaction.introspection.getTables()
    const columnsOf = new Map(tables.map(({ name, columns }) => [name, columns.map((one) => one.name)]))
    const move = async (table: Table, column: string, values: readonly (string | number)[]) => {
      if (values.length === 0) return
      const moved = await moveRows(
        transaction,
        table,
        columnsOf.get(table)!,
        sql`${sql.ref(column)} in (${sql.join(values)})`,
      )
      if (moved > 0) archived[table] = (archived[table] ?? 0) + moved
    }
    let left = most
    const instances = await deletedRows(transaction, 'instances', left, before)
    left -= instances.length
    const uuids = instances.map((row) => row.uuid)
    const actions = uuids.length === 0 ? [] : await actionsOf(transaction, uuids)
    await move('instance_actions_events', 'action_id', actions)
    await move('instance_actions', 'id', actions)
    for (const [table, column] of partsOfInstances) await move(table, column, uuids)
    await move('instances', 'uuid', uuids)
    for (const table of ['services', 'compute_nodes'] as const) {
      const rows = await deletedRows(transaction, table, left, before)
      left -= rows.length
      await move(
        table,
        'id',
        rows.map((row) => row.id),
      )
    }
    return { archived, instanceUuids: uuids }
  })
}

function deletedRows(
  db: Db<CellTables>,
  table: 'instances' | 'services' | 'compute_nodes',
  most: number,
  before: string | undefined,
): Promise<{ id: number; uuid: string }[]> {
  let query = db
    .selectFrom(table)
    .select(['id', 'uuid'])
    .where('deleted', '<>', 0)
    .orderBy('id')
    .limit(Math.max(most, 0))
  if (before !== undefined) query = query.where('deleted_at', '<', before)
  return query.execute()
}

async function actionsOf(db: Db<CellTables>, uuids: readonly string[]): Promise<number[]> {
  const rows = await db
    .selectFrom('instance_actions')
    .select('id')
    .where('instance_uuid', 'in', [...uuids])
    .execute()
  return rows.map((row) => row.id)
}

// Tables are known by name only here, and their shadows are not in the types: they hold the same columns.
async function moveRows(
  db: Db<CellTables>,
  table: Table,
  columns: readonly string[],
  wanted: ReturnType<typeof sql>,
): Promise<number> {
  const names = sql.join(columns.map((name) => sql.ref(name)))
  const copy = sql`insert into ${sql.table(`shadow_${table}`)} (${names})
    select ${names} from ${sql.table(table)} where ${wanted}`
  await copy.execute(db)
  const removed = await sql`delete from ${sql.table(table)} where ${wanted}`.execute(db)
  return Number(removed.numAffectedRows ?? 0n)
}

/** Forgets archived instances in the API database; gives how many rows of each table went. */
export async function forgetInstances(db: Kysely<ApiTables>, uuids: readonly string[]): Promise<Archived> {
  const gone: Archived = {}
  if (uuids.length === 0) return gone
  await inTransaction(db, async (transaction) => {
    for (const table of ['instance_mappings', 'request_specs', 'instance_group_member'] as const) {
      const { numDeletedRows } = await transaction
        .deleteFrom(table)
        .where('instance_uuid', 'in', [...uuids])
        .executeTakeFirstOrThrow()
      if (numDeletedRows > 0n) gone[table] = Number(numDeletedRows)
    }
  })
  return gone
}

/** Removes archived rows, those deleted before an ISO time or all; gives how many of each shadow table. */
export async function purgeArchived(db: Kysely<CellTables>, before: string | undefined): Promise<Archived> {
  const purged: Archived = {}
  await inTransaction(db, async (transaction) => {
    const purge = async (table: Table, condition: ReturnType<typeof sql>) => {
      const shadow = `shadow_${table}`
      const removed = await sql`delete from ${sql.table(shadow)} where ${condition}`.execute(transaction)
      const count = Number(removed.numAffectedRows ?? 0n)
      if (count > 0) purged[shadow] = count
    }
    const old = before === undefined ? sql`1 = 1` : sql`deleted_at < ${before}`
    for (const table of ['instances', 'services', 'compute_nodes'] as const) await purge(table, old)
    const orphaned = (column: string) =>
      sql`${sql.ref(column)} not in (select uuid from ${sql.table('shadow_instances')})`
    for (const [table, column] of partsOfInstances) await purge(table, orphaned(column))
    await purge('instance_actions', orphaned('instance_uuid'))
    await purge(
      'instance_actions_events',
      sql`action_id not in (select id from ${sql.table('shadow_instance_actions')})`,
    )
  })
  return purged
}
