import type { Kysely } from 'kysely'
import { openDatabase } from '../../base/db/database.ts'
import { migrate } from '../../base/db/migrate.ts'
import type { DatabaseSettings } from '../../base/db/options.ts'
import { Fault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { type CellDb, type CellDbs, cell0Uuid } from '../store/cell-dbs.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { listCellMappings, saveCellMapping } from '../store/cells.ts'
import { cellMigrations } from '../store/migrations/list.ts'

export interface Cells extends CellDbs, AsyncDisposable {
  /** cell0 too. */
  byId(id: number): CellDb
  cell0(): CellDb
  /** Those that have hosts. */
  withHosts(): readonly CellDb[]
}

/** Makes cell0 and cell1 known when no cell is: what `nova-manage cell_v2 map_cell0` and `create_cell` do. */
export async function ensureCells(
  apiDb: Kysely<ApiTables>,
  urls: { cell0: string; cell1: string },
): Promise<void> {
  const known = await listCellMappings(apiDb)
  const transportUrl = 'memory:///'
  const cell1 = known.find((cell) => cell.uuid !== cell0Uuid)?.uuid ?? newUuid()
  const cells = [
    { uuid: cell0Uuid, name: 'cell0', transportUrl: 'none:///', databaseConnection: urls.cell0 },
    { uuid: cell1, name: 'cell1', transportUrl, databaseConnection: urls.cell1 },
  ]
  for (const cell of cells) await saveCellMapping(apiDb, cell)
}

/** Opens and migrates the database of every cell that is not disabled. */
export async function openCells(
  apiDb: Kysely<ApiTables>,
  settings?: Partial<DatabaseSettings>,
): Promise<Cells> {
  const cells: CellDb[] = []
  for (const mapping of await listCellMappings(apiDb)) {
    if (mapping.disabled === 1) continue
    const db = openDatabase<CellTables>(mapping.database_connection, settings)
    await migrate(db, cellMigrations)
    cells.push({ id: mapping.id, uuid: mapping.uuid, name: mapping.name, db })
  }
  const find = (is: (cell: CellDb) => boolean, what: string): CellDb => {
    const cell = cells.find(is)
    if (cell === undefined) throw new Fault('unavailable', `${what} is not there, or disabled.`)
    return cell
  }
  return {
    all: async () => cells,
    byId: (id) => find((cell) => cell.id === id, `Cell ${id}`),
    cell0: () => find((cell) => cell.uuid === cell0Uuid, 'cell0'),
    withHosts: () => cells.filter((cell) => cell.uuid !== cell0Uuid),
    async [Symbol.asyncDispose]() {
      await Promise.all(cells.map((cell) => cell.db.destroy()))
    },
  }
}
