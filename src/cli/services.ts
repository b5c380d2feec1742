/** All services in one process, meeting as they would over sockets: through each other's REST APIs. */

import { join } from 'node:path'
import type { Bus } from '../base/bus/bus.ts'
import { createMemoryBus } from '../base/bus/memory.ts'
import { Fault } from '../base/errors.ts'
import { type Send, sendByInject } from '../base/http/client.ts'
import type { Logger } from '../base/log.ts'
import { type ComputeOptions, type ComputeService, startCompute } from '../compute/service.ts'
import type { BootstrapService } from '../identity/bootstrap.ts'
import { passwordAuthenticator } from '../identity/client.ts'
import { type Identity, type IdentityOptions, startIdentity } from '../identity/service.ts'
import { type ImageService, startImage } from '../image/service.ts'
import type { NetworkOptions } from '../network/config.ts'
import type { SendEvents } from '../network/events/compute-event.ts'
import { eventsTo } from '../network/events/events-to.ts'
import { type NetworkService, startNetwork } from '../network/service.ts'
import { type PlacementService, startPlacement } from '../placement/service.ts'
import type { ApiName } from './admin-client.ts'
import type { CloudSecrets, ServiceName } from './up/settings.ts'

export interface ServicesOptions {
  /** The URL of a database by OpenStack's name for it: `keystone`, `nova_cell0`, … */
  database: (name: string) => string
  keyDirectory: string
  imageDirectory: string
  /** Where a service is reached, for the catalog. */
  url: (service: ServiceName) => string
  /** Of the host that the conductor and scheduler run on. */
  hostName: string
  secrets: CloudSecrets
  log: Logger
  network?: Partial<NetworkOptions>
  /** Other than a cloud's own settings. */
  identity?: Partial<IdentityOptions>
  compute?: Partial<ComputeOptions>
}

export interface Services extends AsyncDisposable {
  bus: Bus
  identity: Identity
  image: ImageService
  placement: PlacementService
  network: NetworkService
  compute: ComputeService
  /** Each API, called in process. */
  sends: Readonly<Record<ApiName, Send>>
}

/** Starts every service but hosts and ports; identity knows the administrator, the service users and the catalog. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { database, url, secrets } = options
  const logOf = (service: string) => options.log.child({ service })
  const identityUri = url('identity')
  await using undo = new AsyncDisposableStack()
  const bus = createMemoryBus()
  undo.defer(() => bus.close())
  const identity = undo.use(
    await startIdentity({
      databaseUrl: database('keystone'),
      keyDirectory: options.keyDirectory,
      publicUrl: identityUri,
      log: logOf('identity'),
      ...options.identity,
    }),
  )
  await identity.bootstrap({
    adminPassword: secrets.adminPassword,
    region: 'RegionOne',
    services: catalog(url),
    serviceUsers: secrets.servicePasswords,
  })
  const identitySend = sendByInject(identity.app)
  const tokenOf = (username: string) =>
    passwordAuthenticator(identitySend, {
      username,
      password: secrets.servicePasswords[username] ?? '',
      projectName: 'service',
    })
  const common = { tokens: identity.validator, identityUri }
  const image = undo.use(
    await startImage({
      ...common,
      databaseUrl: database('glance'),
      imageDirectory: join(options.imageDirectory, 'images'),
      stagingDirectory: join(options.imageDirectory, 'staging'),
      log: logOf('image'),
    }),
  )
  const placement = undo.use(
    await startPlacement({ ...common, databaseUrl: database('placement'), log: logOf('placement') }),
  )
  const events = computeEvents(tokenOf('neutron'))
  const network = undo.use(
    await startNetwork({
      ...common,
      databaseUrl: database('neutron'),
      bus,
      log: logOf('network'),
      sendEvents: events.send,
      ...(options.network === undefined ? {} : { options: options.network }),
    }),
  )
  const compute = undo.use(
    await startCompute({
      ...common,
      database,
      hostName: options.hostName,
      bus,
      serviceToken: tokenOf('nova'),
      identity: identitySend,
      image: sendByInject(image.app),
      placement: sendByInject(placement.app),
      network: sendByInject(network.app),
      metadataSharedSecret: secrets.metadataProxySecret,
      log: options.log,
      ...options.compute,
    }),
  )
  const computeSend = sendByInject(compute.app)
  events.deliverBy(computeSend)
  const life = undo.move()
  return {
    bus,
    identity,
    image,
    placement,
    network,
    compute,
    sends: {
      identity: identitySend,
      image: sendByInject(image.app),
      placement: sendByInject(placement.app),
      compute: computeSend,
      network: sendByInject(network.app),
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

function catalog(url: (service: ServiceName) => string): BootstrapService[] {
  const same = (address: string) => ({ public: address, internal: address, admin: address })
  return [
    { type: 'identity', name: 'keystone', urls: same(`${url('identity')}/v3`) },
    { type: 'image', name: 'glance', urls: same(url('image')) },
    { type: 'placement', name: 'placement', urls: same(url('placement')) },
    { type: 'compute', name: 'nova', urls: same(`${url('compute')}/v2.1`) },
    { type: 'network', name: 'neutron', urls: same(url('network')) },
  ]
}

// Network starts before compute, which calls it; what it has to tell compute meanwhile it keeps and sends again.
function computeEvents(token: () => Promise<string>): { send: SendEvents; deliverBy(send: Send): void } {
  let deliver: SendEvents | undefined
  return {
    async send(events) {
      if (deliver === undefined) throw new Fault('unavailable', 'Compute has not started yet.')
      await deliver(events)
    },
    deliverBy(send) {
      deliver = eventsTo(send, token)
    },
  }
}
