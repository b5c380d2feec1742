/** What nova's programs have in common: the databases of the API and of cells, and the services they call. */
import type { Kysely } from 'kysely'
import { type ClientSettings, hasAuth } from '../../base/config/common/auth.ts'
import type { Config } from '../../base/config/option.ts'
import type { Send } from '../../base/http/client.ts'
import { type Cells, openCells } from '../../compute/cells/open-cells.ts'
import {
  glanceAdapterOf,
  neutronClientOf,
  placementClientOf,
  serviceUserOf,
} from '../../compute/config-file/clients.ts'
import {
  apiDatabaseSettingsOf,
  databaseSettingsOf,
  type novaOptions,
} from '../../compute/config-file/nova.ts'
import type { ApiTables } from '../../compute/store/api-tables.ts'
import type { CellTables } from '../../compute/store/cell-tables.ts'
import { apiMigrations, cellMigrations } from '../../compute/store/migrations/list.ts'
import { type TokenSource, withFreshToken } from '../../identity/client.ts'
import { type ImageClient, imageClient } from '../../image/client.ts'
import { type NetworkClient, networkClient } from '../../network/client.ts'
import { type PlacementClient, placementClient } from '../../placement/client.ts'
import { identityAt, sendTo, tokenSourceOf } from './clients.ts'
import type { DaemonContext } from './daemon.ts'
import { databasesMadeBy, databaseUrl } from './databases.ts'

export type NovaConfig = Config<typeof novaOptions>
export type NovaContext = DaemonContext<typeof novaOptions>

/** How old what is known of cells may be. */
const cellsRefreshSeconds = 15

/** `[api_database]`, and the cells that it names. */
export async function openNovaDatabases(
  context: NovaContext,
  undo: AsyncDisposableStack,
): Promise<{ apiDb: Kysely<ApiTables>; cells: Cells }> {
  const { config, log } = context
  const open = databasesMadeBy('nova-manage api_db sync', apiDatabaseSettingsOf(config), context)
  const url = databaseUrl('api_database', config.apiDatabaseConnection)
  const apiDb = await open<ApiTables>(url, apiMigrations)
  undo.defer(() => apiDb.destroy())
  const configured = { database: config.databaseConnection, transportUrl: config.transportUrl }
  const cells = undo.use(
    await openCells(apiDb, {
      settings: databaseSettingsOf(config),
      configured,
      migrates: false,
      refreshSeconds: cellsRefreshSeconds,
      log,
    }),
  )
  return { apiDb, cells }
}

/** `[database]`: the cell that the program itself belongs to. */
export async function openOwnCell(
  context: NovaContext,
  undo: AsyncDisposableStack,
): Promise<Kysely<CellTables>> {
  const open = databasesMadeBy('nova-manage db sync', databaseSettingsOf(context.config), context)
  const db = await open<CellTables>(
    databaseUrl('database', context.config.databaseConnection),
    cellMigrations,
  )
  undo.defer(() => db.destroy())
  return db
}

/** A service and the user that we are there. */
function callerOf(section: string, type: string, settings: ClientSettings) {
  const identity = identityAt(section, settings)
  const token = tokenSourceOf(section, settings, identity)
  const send = sendTo({ type, settings }, { identity, token })
  return { send, own: withFreshToken(send, token), token }
}

export function placementOf(config: NovaConfig): PlacementClient {
  const { own, token } = callerOf('placement', 'placement', placementClientOf(config))
  return placementClient(own, token)
}

/**
 * Network, which installation guides set up last, when these programs run: until the files have `[neutron]` they are
 * read again at each call, so that nobody needs to know which programs to restart.
 */
export function networkOf({ config, readAgain }: NovaContext): { send: Send; client: NetworkClient } {
  const callerBy = (settings: ClientSettings) => callerOf('neutron', 'network', settings)
  const isSet = hasAuth(neutronClientOf(config))
  let caller = isSet ? callerBy(neutronClientOf(config)) : undefined
  const found = () => {
    caller ??= callerBy(neutronClientOf(readAgain()))
    return caller
  }
  const token: TokenSource = Object.assign(async () => await found().token(), {
    renew: (refused: string) => caller?.token.renew?.(refused),
  })
  return {
    send: async (call) => await found().send(call),
    client: networkClient(async (call) => await found().own(call), token),
  }
}

/** The Image service, with the user of `[service_user]` where there is one, else of `[keystone_authtoken]`. */
export function imageOf(
  config: NovaConfig,
  fallback: { settings: ClientSettings | Parameters<typeof identityAt>[1]; section: string },
): { send: Send; client: ImageClient } {
  const user = serviceUserOf(config)
  const [section, auth] = hasAuth(user)
    ? (['service_user', user] as const)
    : ([fallback.section, fallback.settings] as const)
  const identity = identityAt(section, auth)
  const token = tokenSourceOf(section, auth, identity)
  const settings = { ...auth, ...glanceAdapterOf(config) }
  const send = sendTo({ type: 'image', settings, addresses: config.glanceApiServers }, { identity, token })
  return { send, client: imageClient(withFreshToken(send, token), token) }
}
