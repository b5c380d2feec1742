import type { Kysely } from 'kysely'
import { openDatabase } from '../../base/db/database.ts'
import { migrate } from '../../base/db/migrate.ts'
import type { DatabaseSettings } from '../../base/db/options.ts'
import { Reach } from '../../base/db/reach.ts'
import { waitForDatabase } from '../../base/db/wait.ts'
import { describeError, Fault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'
import type { Logger } from '../../base/log.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { type CellDb, type CellDbs, cell0Uuid } from '../store/cell-dbs.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { type CellMappingRow, listCellMappings, saveCellMapping } from '../store/cells.ts'
import { cellMigrations } from '../store/migrations/list.ts'
import { fillUrl } from './url-template.ts'

export interface Cell extends CellDb {
  databaseUrl: string
  transportUrl: string
}

export interface Cells extends CellDbs, AsyncDisposable {
  all(): Promise<readonly Cell[]>
  /** cell0 too. */
  byId(id: number): Cell
  cell0(): Cell
  /** Those that have hosts. */
  withHosts(): readonly Cell[]
  /** Reads the mappings again unless the cell is known: another process heard of it first. */
  ensure(id: number): Promise<void>
  refresh(): Promise<void>
}

export interface CellsOptions {
  log: Logger
  settings?: Partial<DatabaseSettings>
  /** `[database] connection` and `transport_url` of the reader, which templates in mappings are filled from. */
  configured?: { database: string | null; transportUrl: string | null }
  /** Brings each cell's database up to date before it is used; daemons leave that to `nova-manage db sync`. */
  migrates?: boolean
  /** Mappings are read again when they are used and older than this; never unless given. */
  refreshSeconds?: number
}

/** Makes cell0 and cell1 known when no cell is: what `nova-manage cell_v2 map_cell0` and `create_cell` do. */
export async function ensureCells(
  apiDb: Kysely<ApiTables>,
  urls: { cell0: string; cell1: string; transportUrl?: string },
): Promise<void> {
  const known = await listCellMappings(apiDb)
  const { transportUrl = 'memory:///' } = urls
  const cell1 = known.find((cell) => cell.uuid !== cell0Uuid)?.uuid ?? newUuid()
  const cells = [
    { uuid: cell0Uuid, name: 'cell0', transportUrl: 'none:///', databaseConnection: urls.cell0 },
    { uuid: cell1, name: 'cell1', transportUrl, databaseConnection: urls.cell1 },
  ]
  for (const cell of cells) await saveCellMapping(apiDb, cell)
}

const isSame = (one: Cell, other: Cell): boolean =>
  Object.entries(one).every(([name, value]) => other[name as keyof Cell] === value)

/** Opens the database of every cell; while one's server is away, who uses it is told so at once. */
export async function openCells(apiDb: Kysely<ApiTables>, options: CellsOptions): Promise<Cells> {
  const { configured, log } = options
  const opened = new Map<string, Kysely<CellTables>>()
  let cells: readonly Cell[] = []
  let readAt = 0
  let reading: Promise<void> | undefined

  async function open(mapping: CellMappingRow): Promise<Cell> {
    const databaseUrl = fillUrl(mapping.database_connection, configured?.database)
    const key = `${mapping.uuid} ${databaseUrl}`
    let db = opened.get(key)
    if (db === undefined) {
      const reach = new Reach({ log, what: `Cell ${mapping.name === '' ? mapping.uuid : mapping.name}` })
      db = openDatabase<CellTables>(databaseUrl, options.settings, reach)
      opened.set(key, db)
      if (options.migrates !== false) {
        await waitForDatabase(db, log)
        await migrate(db, cellMigrations)
      }
    }
    const { id, uuid, name, disabled } = mapping
    const transportUrl = fillUrl(mapping.transport_url, configured?.transportUrl)
    const cell = { id, uuid, name, db, databaseUrl, transportUrl, disabled: disabled === 1 }
    // What was read in a cell is kept by who it was read from: as long as nothing about it changes, that stays.
    return cells.find((known) => isSame(known, cell)) ?? cell
  }
  async function read(): Promise<void> {
    const found: Cell[] = []
    for (const mapping of await listCellMappings(apiDb)) found.push(await open(mapping))
    cells = found
    readAt = Date.now()
  }
  const refresh = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }
  const find = (is: (cell: Cell) => boolean, what: string): Cell => {
    const cell = cells.find(is)
    if (cell === undefined) throw new Fault('unavailable', `${what} is not there.`)
    return cell
  }
  const isOld = () =>
    options.refreshSeconds !== undefined && Date.now() - readAt > options.refreshSeconds * 1000
  // Nobody waits for news of cells, which come seldom.
  const refreshOld = () => {
    if (!isOld()) return
    refresh().catch((error: unknown) =>
      log.warn({ reason: describeError(error) }, 'the cells could not be read again'),
    )
  }
  await refresh()
  return {
    async all() {
      if (cells.length === 0) await refresh()
      refreshOld()
      return cells
    },
    byId: (id) => find((cell) => cell.id === id, `Cell ${id}`),
    cell0: () => find((cell) => cell.uuid === cell0Uuid, 'cell0'),
    withHosts() {
      refreshOld()
      return cells.filter((cell) => cell.uuid !== cell0Uuid)
    },
    async ensure(id) {
      if (!cells.some((cell) => cell.id === id)) await refresh()
    },
    refresh,
    async [Symbol.asyncDispose]() {
      await reading?.catch(() => undefined)
      await Promise.all([...opened.values()].map((db) => db.destroy()))
    },
  }
}
