/** Cells' mappings hold URLs with passwords, in nova's API database. */
import type { Kysely } from 'kysely'
import { openDatabase } from '../../base/db/database.ts'
import type { ApiTables } from '../../compute/store/api-tables.ts'
import { listCellMappings, saveCellMapping } from '../../compute/store/cells.ts'
import { databaseUrl, inUrl } from '../init/config-files.ts'
import type { ControllerStore } from '../init/store.ts'

type Named = Pick<ControllerStore, 'settings' | 'secrets'>

export async function renewCellMappings(store: Named): Promise<void> {
  await using db = openDatabase<ApiTables>(databaseUrl(store.settings, store.secrets.database, 'nova_api'))
  await renewMappingsIn(db, store)
}

/** Those of the controller's own database and broker get the passwords of now; a further cell's are not ours. */
export async function renewMappingsIn(db: Kysely<ApiTables>, { settings, secrets }: Named): Promise<void> {
  const at = `@${inUrl(settings.controller)}`
  for (const cell of await listCellMappings(db)) {
    const transportUrl = withPassword(cell.transport_url, '://openstack:', at, secrets.rabbit)
    const databaseConnection = withPassword(cell.database_connection, '://nova:', at, secrets.database.nova)
    if (transportUrl === cell.transport_url && databaseConnection === cell.database_connection) continue
    await saveCellMapping(db, { uuid: cell.uuid, name: cell.name ?? '', transportUrl, databaseConnection })
  }
}

/** The URL with this password, when that of `user` at `place` stands in it. */
export function withPassword(url: string, user: string, place: string, password: string): string {
  const from = url.indexOf(user)
  const to = url.indexOf(place, from)
  const ends = ['', '/', ':', '?'].includes(url.charAt(to + place.length))
  return from === -1 || to === -1 || !ends ? url : url.slice(0, from + user.length) + password + url.slice(to)
}
