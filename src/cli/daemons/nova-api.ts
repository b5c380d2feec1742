import { startApi } from '../../compute/api/start-api.ts'
import { computeApiConfigOf } from '../../compute/config-file/api.ts'
import type { novaOptions } from '../../compute/config-file/nova.ts'
import { startMetadata } from '../../compute/metadata/start-metadata.ts'
import { type Door, serveApps } from './api-daemon.ts'
import type { StartDaemon } from './daemon.ts'
import { agentsOfCells, busOf } from './messages.ts'
import { imageOf, type NovaContext, networkOf, openNovaDatabases, placementOf } from './nova.ts'
import { authtokenFrom } from './tokens.ts'

export const startNovaApi: StartDaemon<typeof novaOptions> = (context) =>
  startApis(context, context.config.enabledApis)

export const startNovaApiMetadata: StartDaemon<typeof novaOptions> = (context) =>
  startApis(context, ['metadata'])

async function startApis(context: NovaContext, enabled: readonly string[]) {
  const { config, log } = context
  await using undo = new AsyncDisposableStack()
  const databases = await openNovaDatabases(context, undo)
  const network = networkOf(context)
  const doors: Door[] = []
  if (enabled.includes('osapi_compute')) {
    const app = computeApi(context, databases, network.send, undo)
    const { osapiComputeListen: host, osapiComputeListenPort: port } = config
    doors.push({ app, host, ports: [port] })
  }
  if (enabled.includes('metadata')) {
    const sharedSecret = config.serviceMetadataProxy ? config.metadataProxySharedSecret : null
    const app = startMetadata({ ...databases, network: network.client, sharedSecret, log })
    undo.defer(() => app.close())
    doors.push({ app, host: config.metadataListen, ports: [config.metadataListenPort] })
  }
  return await serveApps(doors, undo.move())
}

function computeApi(
  context: NovaContext,
  databases: Awaited<ReturnType<typeof openNovaDatabases>>,
  network: ReturnType<typeof networkOf>['send'],
  undo: AsyncDisposableStack,
) {
  const { config, log, program, policyOverrides } = context
  const { tokens, identity, identityUri, settings } = authtokenFrom(context, undo)
  const needs = { program, config, exchange: 'nova', log }
  const bus = busOf(needs)
  undo.defer(() => bus.close())
  const { agents } = undo.use(agentsOfCells(needs, bus, databases.cells))
  const app = startApi({
    ...databases,
    bus,
    agents,
    placement: placementOf(config),
    identity,
    image: imageOf(config, { section: 'keystone_authtoken', settings }).send,
    network,
    tokens,
    identityUri,
    config: computeApiConfigOf(config),
    policyOverrides,
    log,
  })
  undo.defer(() => app.close())
  return app
}
