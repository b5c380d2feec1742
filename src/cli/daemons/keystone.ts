import { databaseSettingsOf, identityOptionsOf, type keystoneOptions } from '../../identity/config-file.ts'
import { startIdentity } from '../../identity/service.ts'
import { serveApps } from './api-daemon.ts'
import type { StartDaemon } from './daemon.ts'
import { databasesMadeBy, databaseUrl } from './databases.ts'

export const startKeystone: StartDaemon<typeof keystoneOptions> = async (context) => {
  const { config, log, policyOverrides } = context
  await using undo = new AsyncDisposableStack()
  const identity = undo.use(
    await startIdentity({
      ...identityOptionsOf(config),
      databaseUrl: databaseUrl('database', config.databaseConnection),
      openDatabase: databasesMadeBy('keystone-manage db_sync', databaseSettingsOf(config), context),
      policyOverrides,
      log,
    }),
  )
  const doors = [{ app: identity.app, host: config.publicBindHost, ports: [config.publicPort] }]
  if (config.adminPort !== 0 && config.adminPort !== config.publicPort)
    doors.push({ app: identity.app, host: config.adminBindHost, ports: [config.adminPort] })
  return await serveApps(doors, undo.move())
}
