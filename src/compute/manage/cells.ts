/** `nova-manage cell_v2`: making cells known. Outputs and exit codes are nova's. */
import { isUniqueViolation } from '../../base/db/database.ts'
import { migrate } from '../../base/db/migrate.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import { describeError, isFault } from '../../base/errors.ts'
import { newUuid } from '../../base/ids.ts'
import { prettyTable } from '../../base/manage/pretty-table.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { maskUrl } from '../cells/url-template.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import {
  type CellMappingRow,
  countMappedInstances,
  deleteCellMapping,
  listHostsOfCell,
  saveCellMapping,
  setCellDisabled,
} from '../store/cells.ts'
import { cellMigrations } from '../store/migrations/list.ts'
import { cellsOf, findCell, type NovaManage, needDatabase, noSuchCell } from './deps.ts'

const url = '--database_connection <database_connection>'
const transport = '--transport-url <transport_url>'

export const cellCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'cell_v2 map_cell0',
    help: 'make cell0 known, which keeps the servers that no host could take',
    options: [
      {
        flags: url,
        help: "cell0's database; without it that of the configuration with _cell0 behind its name",
      },
    ],
    async run(given, deps) {
      await mapCell0(deps, given['databaseConnection'] as string | undefined)
      return 0
    },
  },
  {
    name: 'cell_v2 create_cell',
    help: 'make a cell known; its URLs come from the configuration unless given',
    options: [
      { flags: '--name <cell_name>', help: 'what to call it' },
      { flags: url, help: "the cell's database" },
      { flags: transport, help: "the cell's message queue" },
      { flags: '--verbose', help: 'print the uuid of the cell' },
      { flags: '--disabled', help: 'no server is scheduled to it until it is enabled' },
    ],
    run: createCell,
  },
  {
    name: 'cell_v2 list_cells',
    help: 'list the cells',
    options: [{ flags: '--verbose', help: 'show passwords too' }],
    run: listCells,
  },
  {
    name: 'cell_v2 update_cell',
    help: 'change the name or the URLs of a cell, or disable it',
    options: [
      { flags: '--cell_uuid <cell_uuid>', help: 'which one', required: true },
      { flags: '--name <cell_name>', help: 'its new name' },
      { flags: transport, help: 'its new message queue' },
      { flags: url, help: 'its new database' },
      { flags: '--disable', help: 'schedule no more servers to it' },
      { flags: '--enable', help: 'schedule servers to it again' },
    ],
    run: updateCell,
  },
  {
    name: 'cell_v2 delete_cell',
    help: 'forget a cell that has neither hosts nor instances',
    options: [
      { flags: '--cell_uuid <cell_uuid>', help: 'which one', required: true },
      { flags: '--force', help: 'also when hosts and deleted instances are still mapped to it' },
    ],
    run: deleteCell,
  },
]

/** False when it was there already. */
export async function mapCell0(deps: NovaManage, databaseConnection?: string): Promise<boolean> {
  if ((await findCell(deps, cell0Uuid)) !== undefined) {
    deps.print('Cell0 is already setup')
    return false
  }
  await saveCellMapping(deps.apiDb(), {
    uuid: cell0Uuid,
    name: 'cell0',
    transportUrl: 'none:///',
    databaseConnection: databaseConnection ?? cell0Url(needDatabase(deps)),
  })
  return true
}

/** `_cell0` goes behind the name of the database, before what follows a question mark. */
export function cell0Url(database: string): string {
  const [, before = '', after = ''] = /^([^?]*)(\?.*)?$/s.exec(database) ?? []
  return `${before}_cell0${after}`
}

/** The cell's URLs from what was given or the configuration; undefined, with the reason printed, when one is missing. */
export function cellUrls(
  given: Given,
  deps: NovaManage,
): { transportUrl: string; databaseConnection: string } | undefined {
  const { settings, print } = deps
  const take = (option: string, key: string, group: string, name: string, configured: string | null) => {
    const value = given[key]
    if (typeof value === 'string') return value
    print(
      `${option} not provided in the command line, using the value [${group}]/${name} from the configuration file`,
    )
    if (configured === null || configured === '') {
      print(`[${group}]/${name} is not set in the configuration file either: set it, or give ${option}.`)
      return undefined
    }
    return configured
  }
  const transportUrl = take(
    '--transport-url',
    'transportUrl',
    'DEFAULT',
    'transport_url',
    settings.transportUrl,
  )
  if (transportUrl === undefined) return undefined
  if (!/^[a-z][a-z0-9+.]*:\/\//i.test(transportUrl)) {
    print(
      `Invalid transport URL: ${maskUrl(transportUrl)} is not of the form rabbit://user:password@host:port/vhost`,
    )
    return undefined
  }
  const databaseConnection = take(
    '--database_connection',
    'databaseConnection',
    'database',
    'connection',
    settings.database,
  )
  return databaseConnection === undefined ? undefined : { transportUrl, databaseConnection }
}

async function createCell(given: Given, deps: NovaManage): Promise<number> {
  const urls = cellUrls(given, deps)
  if (urls === undefined) return 1
  if (await takenBy(deps, urls)) return 2
  const uuid = newUuid()
  const name = typeof given['name'] === 'string' ? given['name'] : ''
  await saveCellMapping(deps.apiDb(), { uuid, name, ...urls })
  if (given['disabled'] === true) await setCellDisabled(deps.apiDb(), uuid, true)
  if (given['verbose'] === true) deps.print(uuid)
  return 0
}

/** True, with the reason printed, when another cell has one of these URLs. */
async function takenBy(
  deps: NovaManage,
  urls: { transportUrl: string; databaseConnection: string },
  except?: string,
): Promise<boolean> {
  const other = (await cellsOf(deps)).find(
    (cell) =>
      cell.uuid !== except &&
      (cell.database_connection === urls.databaseConnection || cell.transport_url === urls.transportUrl),
  )
  if (other === undefined) return false
  deps.print(
    'The specified transport_url and/or database_connection combination already exists for another cell with ' +
      `uuid ${other.uuid}.`,
  )
  return true
}

async function listCells(given: Given, deps: NovaManage): Promise<number> {
  const show = given['verbose'] === true ? (text: string) => text : maskUrl
  const cells = (await cellsOf(deps)).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const row = (cell: CellMappingRow) => [
    cell.name,
    cell.uuid,
    show(cell.transport_url),
    show(cell.database_connection),
    cell.disabled === 1 ? 'True' : 'False',
  ]
  deps.print(
    prettyTable(['Name', 'UUID', 'Transport URL', 'Database Connection', 'Disabled'], cells.map(row)),
  )
  return 0
}

async function updateCell(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['cellUuid'])
  const cell = await findCell(deps, uuid)
  if (cell === undefined) {
    noSuchCell(deps, uuid)
    return 1
  }
  if (given['enable'] === true && given['disable'] === true) {
    deps.print('Cell cannot be disabled and enabled at the same time.')
    return 4
  }
  if (given['disable'] === true && uuid === cell0Uuid) {
    deps.print('Cell0 cannot be disabled.')
    return 5
  }
  const urls = cellUrls(given, deps)
  if (urls === undefined) return 3
  if (await takenBy(deps, urls, uuid)) return 3
  const wanted = given['disable'] === true ? 1 : given['enable'] === true ? 0 : undefined
  if (wanted === cell.disabled) deps.print(`Cell ${uuid} is already ${wanted === 1 ? 'disabled' : 'enabled'}`)
  try {
    await inTransaction(deps.apiDb(), async (db) => {
      const name = typeof given['name'] === 'string' ? given['name'] : cell.name
      await saveCellMapping(db, { uuid, name, ...urls })
      if (wanted !== undefined) await setCellDisabled(db, uuid, wanted === 1)
    })
  } catch (error) {
    if (!isFault(error) && !isUniqueViolation(error)) throw error
    deps.print(`Unable to update CellMapping: ${describeError(error)}`)
    return 2
  }
  return 0
}

async function deleteCell(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['cellUuid'])
  const force = given['force'] === true
  const cell = await findCell(deps, uuid)
  if (cell === undefined) {
    noSuchCell(deps, uuid)
    return 1
  }
  const hosts = await listHostsOfCell(deps.apiDb(), cell.id)
  if (hosts.length > 0 && !force) {
    deps.print(
      `There are existing hosts mapped to cell with uuid ${uuid}: ${hosts.join(', ')}. ` +
        'Delete them first with nova-manage cell_v2 delete_host, or give --force.',
    )
    return 2
  }
  const mapped = await countMappedInstances(deps.apiDb(), cell.id)
  if (mapped.living > 0) {
    deps.print(`There are existing instances mapped to cell with uuid ${uuid}: ${mapped.living} of them.`)
    return 3
  }
  if (mapped.deleted > 0 && !force) {
    deps.print(
      `There are instance mappings to cell with uuid ${uuid}, but all of their instances are deleted.`,
    )
    deps.print("Run 'nova-manage db archive_deleted_rows' to delete them, or give --force.")
    return 4
  }
  await deleteCellMapping(deps.apiDb(), cell.id)
  return 0
}

/** Brings cell0's database up to date; false, with the reason printed, when that fails. */
export async function syncCell0(deps: NovaManage): Promise<boolean> {
  const cell0 = await findCell(deps, cell0Uuid)
  try {
    await migrate(deps.cellDb(cell0!.database_connection), cellMigrations)
    return true
  } catch (error) {
    deps.print(`Unable to sync cell0 schema: ${describeError(error)}`)
    return false
  }
}
