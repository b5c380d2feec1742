import { migratedDatabases } from '../../base/db/opener.ts'
import { settingsFrom } from '../../placement/config.ts'
import { databaseSettingsOf, type placementFileOptions } from '../../placement/config-file.ts'
import { startPlacement } from '../../placement/service.ts'
import { serveApps } from './api-daemon.ts'
import type { StartDaemon } from './daemon.ts'
import { databasesMadeBy, databaseUrl } from './databases.ts'
import { authtokenFrom } from './tokens.ts'

export const startPlacementApi: StartDaemon<typeof placementFileOptions> = async (context) => {
  const { config, log, policyOverrides } = context
  await using undo = new AsyncDisposableStack()
  const { tokens, identityUri } = authtokenFrom(context, undo)
  const placement = undo.use(
    await startPlacement({
      ...databaseOf(context),
      settings: settingsFrom(config),
      tokens,
      identityUri,
      policyOverrides,
      log,
    }),
  )
  const door = { app: placement.app, host: config.bindHost, ports: [config.bindPort] }
  return await serveApps([door], undo.move())
}

/** Its own, whose tables an operator makes; else nova's API database, where it makes them itself as nova once did. */
function databaseOf(context: Parameters<typeof startPlacementApi>[0]) {
  const { config, log } = context
  if (!config.databaseConnection && config.apiDatabaseConnection) {
    return { databaseUrl: config.apiDatabaseConnection, openDatabase: migratedDatabases({ log }) }
  }
  return {
    databaseUrl: databaseUrl('placement_database', config.databaseConnection),
    openDatabase: databasesMadeBy('placement-manage db sync', databaseSettingsOf(config), context),
  }
}
