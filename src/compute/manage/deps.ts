/** What nova's management commands work on. */
import type { Kysely } from 'kysely'
import type { PlacementClient } from '#placement/client.ts'
import type { Send } from '../../base/http/client.ts'
import { needConnection } from '../../base/manage/database-manage.ts'
import { fillUrl } from '../cells/url-template.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { type CellMappingRow, listCellMappings } from '../store/cells.ts'

export interface NovaSettings {
  /** `[api_database] connection`; null when it is not set. */
  apiDatabase: string | null
  /** `[database] connection`. */
  database: string | null
  /** `[DEFAULT] transport_url`. */
  transportUrl: string | null
  /** `[service_user] send_service_user_token`. */
  sendServiceUserToken: boolean
  /** `[oslo_policy] policy_file`, as found on disk. */
  policyFile: string | null
  /** `[DEFAULT] host` and `my_ip`, or what stands for them. */
  host: string
  myIp: string
  /** The limits of a project by resource, as `[quota]` has them. */
  quota: Readonly<Record<string, number>>
  /** The configuration files that were read. */
  files: readonly string[]
}

export interface NovaManage extends AsyncDisposable {
  settings: NovaSettings
  print(line: string): void
  /** The API database, opened on first use. */
  apiDb(): Kysely<ApiTables>
  /** A cell's database by its URL. */
  cellDb(url: string): Kysely<CellTables>
  /** Placement by `[placement]`; a Fault says what is missing there. */
  placement(): Promise<PlacementClient>
  /** Identity, called as the user of `[keystone_authtoken]`; a Fault says what is missing there. */
  identity(): Promise<Send>
}

/** `[database] connection`, or a Fault that says where it was looked for. */
export const needDatabase = (deps: NovaManage): string =>
  needConnection(deps.settings.database, 'database', deps.settings.files)

/** `[api_database] connection`, or a Fault that says where it was looked for. */
export const needApiDatabase = (deps: NovaManage): string =>
  needConnection(deps.settings.apiDatabase, 'api_database', deps.settings.files)

/** A mapping with its templates filled from this configuration. */
export const filled = (deps: NovaManage, cell: CellMappingRow): CellMappingRow => ({
  ...cell,
  database_connection: fillUrl(cell.database_connection, deps.settings.database),
  transport_url: fillUrl(cell.transport_url, deps.settings.transportUrl),
})

export async function cellsOf(deps: NovaManage): Promise<CellMappingRow[]> {
  return (await listCellMappings(deps.apiDb())).map((cell) => filled(deps, cell))
}

export async function findCell(deps: NovaManage, uuid: string): Promise<CellMappingRow | undefined> {
  return (await cellsOf(deps)).find((cell) => cell.uuid === uuid)
}

/** Says that there is no such cell. */
export const noSuchCell = (deps: NovaManage, uuid: string): void =>
  deps.print(`Cell with uuid ${uuid} was not found.`)
