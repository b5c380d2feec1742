import { hasAuth } from '../../base/config/common/auth.ts'
import { withFreshToken } from '../../identity/client.ts'
import { networkOptionsOf } from '../../network/config-file/behaviour.ts'
import {
  databaseSettingsOf,
  type neutronServerOptions,
  novaClientOf,
} from '../../network/config-file/neutron.ts'
import type { SendEvents } from '../../network/events/compute-event.ts'
import { eventsTo } from '../../network/events/events-to.ts'
import { startNetwork } from '../../network/service.ts'
import { serveApps } from './api-daemon.ts'
import { identityAt, sendTo, tokenSourceOf } from './clients.ts'
import type { DaemonContext, StartDaemon } from './daemon.ts'
import { databasesMadeBy, databaseUrl } from './databases.ts'
import { busOf, processName } from './messages.ts'
import { authtokenFrom } from './tokens.ts'

type ServerOptions = typeof neutronServerOptions

export const startNeutronServer: StartDaemon<ServerOptions> = async (context) => {
  const { config, log, program, policyOverrides } = context
  await using undo = new AsyncDisposableStack()
  const { tokens, identityUri } = authtokenFrom(context, undo)
  const bus = busOf({ program, config, exchange: 'neutron', log })
  undo.defer(() => bus.close())
  const events = eventsOf(context)
  const network = undo.use(
    await startNetwork({
      databaseUrl: databaseUrl('database', config.databaseConnection),
      openDatabase: databasesMadeBy('neutron-db-manage upgrade heads', databaseSettingsOf(config), context),
      options: networkOptionsOf(config),
      bus,
      server: processName(config),
      tokens,
      identityUri,
      policyOverrides,
      log,
      ...(events === undefined ? {} : { sendEvents: events }),
    }),
  )
  const door = { app: network.app, host: config.bindHost, ports: [config.bindPort] }
  return await serveApps([door], undo.move())
}

/** By `[nova]`: whom compute takes us for. */
function eventsOf({ config, log }: DaemonContext<ServerOptions>): SendEvents | undefined {
  const settings = novaClientOf(config)
  if (!hasAuth(settings)) {
    log.warn(
      'compute is told nothing of ports, so servers wait in vain for theirs: [nova] auth_type and auth_url are not set',
    )
    return undefined
  }
  const identity = identityAt('nova', settings)
  const token = tokenSourceOf('nova', settings, identity)
  const compute = sendTo({ type: 'compute', settings }, { identity, token })
  return eventsTo(withFreshToken(compute, token), token)
}
