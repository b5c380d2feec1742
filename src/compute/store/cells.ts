import type { Kysely, Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import type { ApiTables, CellMappingsTable } from './api-tables.ts'

export type CellMappingRow = Selectable<CellMappingsTable>

export function listCellMappings(db: Db<ApiTables>): Promise<CellMappingRow[]> {
  return db.selectFrom('cell_mappings').selectAll().orderBy('id').execute()
}

/** Makes a cell known, or writes where its database is now; what `nova-manage cell_v2` does. */
export async function saveCellMapping(
  db: Db<ApiTables>,
  cell: { uuid: string; name: string; transportUrl: string; databaseConnection: string },
): Promise<void> {
  const facts = {
    name: cell.name,
    transport_url: cell.transportUrl,
    database_connection: cell.databaseConnection,
  }
  const now = timestamp()
  const { numUpdatedRows } = await db
    .updateTable('cell_mappings')
    .set({ ...facts, updated_at: now })
    .where('uuid', '=', cell.uuid)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) return
  await db
    .insertInto('cell_mappings')
    .values({ ...facts, uuid: cell.uuid, disabled: 0, created_at: now, updated_at: null })
    .execute()
}

/** Which cell each host is in. */
export async function listHostMappings(db: Db<ApiTables>): Promise<Map<string, number>> {
  const rows = await db.selectFrom('host_mappings').select(['host', 'cell_id']).execute()
  return new Map(rows.map((row) => [row.host, row.cell_id]))
}

export async function saveHostMapping(db: Db<ApiTables>, host: string, cellId: number): Promise<void> {
  const known = await db
    .selectFrom('host_mappings')
    .select('cell_id')
    .where('host', '=', host)
    .executeTakeFirst()
  if (known?.cell_id === cellId) return
  const now = timestamp()
  // Whoever else maps it at this moment says the same, or later than we.
  await db
    .insertInto('host_mappings')
    .values({ host, cell_id: cellId, created_at: now, updated_at: null })
    .onConflict((conflict) => conflict.column('host').doUpdateSet({ cell_id: cellId, updated_at: now }))
    .execute()
}

export async function deleteHostMapping(db: Db<ApiTables>, host: string): Promise<void> {
  await db.deleteFrom('host_mappings').where('host', '=', host).execute()
}

/** No server is scheduled to a disabled cell. */
export async function setCellDisabled(db: Db<ApiTables>, uuid: string, disabled: boolean): Promise<void> {
  const changes = { disabled: disabled ? 1 : 0, updated_at: timestamp() }
  await db.updateTable('cell_mappings').set(changes).where('uuid', '=', uuid).execute()
}

export async function listHostsOfCell(db: Db<ApiTables>, cellId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('host_mappings')
    .select('host')
    .where('cell_id', '=', cellId)
    .orderBy('host')
    .execute()
  return rows.map((row) => row.host)
}

/** How many instances of the cell live, and how many are deleted but not archived yet. */
export async function countMappedInstances(
  db: Db<ApiTables>,
  cellId: number,
): Promise<{ living: number; deleted: number }> {
  const rows = await db
    .selectFrom('instance_mappings')
    .select((e) => ['queued_for_delete', e.fn.countAll<number>().as('count')])
    .where('cell_id', '=', cellId)
    .groupBy('queued_for_delete')
    .execute()
  const of = (deleted: number) => Number(rows.find((row) => row.queued_for_delete === deleted)?.count ?? 0)
  return { living: of(0), deleted: of(1) }
}

/** Forgets a cell with the mappings of its hosts and of its deleted instances. */
export async function deleteCellMapping(db: Kysely<ApiTables>, cellId: number): Promise<void> {
  await inTransaction(db, async (transaction) => {
    await transaction.deleteFrom('host_mappings').where('cell_id', '=', cellId).execute()
    await transaction.deleteFrom('instance_mappings').where('cell_id', '=', cellId).execute()
    await transaction.deleteFrom('cell_mappings').where('id', '=', cellId).execute()
  })
}
