import { join } from 'node:path'
import { databaseSettingsOf, type glanceOptions, imageSettingsOf } from '../../image/config-file.ts'
import { startImage } from '../../image/service.ts'
import { serveApps } from './api-daemon.ts'
import type { StartDaemon } from './daemon.ts'
import { databasesMadeBy, databaseUrl } from './databases.ts'
import { authtokenFrom } from './tokens.ts'

export const startGlanceApi: StartDaemon<typeof glanceOptions> = async (context) => {
  const { config, log, policyOverrides } = context
  await using undo = new AsyncDisposableStack()
  const { tokens, identityUri } = authtokenFrom(context, undo)
  const image = undo.use(
    await startImage({
      databaseUrl: databaseUrl('database', config.databaseConnection),
      openDatabase: databasesMadeBy('glance-manage db_sync', databaseSettingsOf(config), context),
      imageDirectory: config.filesystemStoreDatadir,
      stagingDirectory: join(config.filesystemStoreDatadir, '..', 'staging'),
      settings: imageSettingsOf(config),
      shared: true,
      tokens,
      identityUri,
      policyOverrides,
      log,
    }),
  )
  return await serveApps([{ app: image.app, host: config.bindHost, ports: [config.bindPort] }], undo.move())
}
