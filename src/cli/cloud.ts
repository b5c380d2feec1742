/** The whole cloud in one process: every service wired by hand, its ports opened, and what a user needs made. */
import type { FastifyInstance } from 'fastify'
import { sendByInject } from '../base/http/client.ts'
import type { Logger } from '../base/log.ts'
import { passwordAuthenticator } from '../identity/client.ts'
import { adminClient } from './admin-client.ts'
import { listen } from './listen.ts'
import { type Services, startServices } from './services.ts'
import { firstStart, type GuestImage, uploadBy, userImage } from './up/first-start.ts'
import { openHosts } from './up/hosts.ts'
import {
  type CloudSecrets,
  type CloudSettings,
  layout,
  portOf,
  type ServiceName,
  standardPorts,
  urlOf,
} from './up/settings.ts'

export interface CloudOptions {
  stateDir: string
  settings: CloudSettings
  secrets: CloudSecrets
  log: Logger
  onProgress: (text: string) => void
}

/** Starts the cloud of a state directory; every API answers when it resolves. Disposing stops it, guests go on. */
export async function startCloud(options: CloudOptions): Promise<AsyncDisposable> {
  const { stateDir, settings, secrets, onProgress } = options
  await using undo = new AsyncDisposableStack()
  onProgress('starting the services')
  const files = layout(stateDir)
  const services = undo.use(
    await startServices({
      database: files.database,
      keyDirectory: files.keys,
      imageDirectory: files.images,
      url: (service) => urlOf(settings, service),
      hostName: settings.hostName,
      secrets,
      log: options.log,
    }),
  )
  undo.use(await openPorts(services, settings))
  const hosts = undo.use(await openHosts({ ...options, services }))
  await makeFirstThings(options, services, hosts.guestImage)
  onProgress('ready')
  return undo.move()
}

async function openPorts(services: Services, settings: CloudSettings): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack()
  const apps: Record<ServiceName, FastifyInstance> = {
    identity: services.identity.app,
    identityAdmin: services.identity.app,
    image: services.image.app,
    placement: services.placement.app,
    compute: services.compute.app,
    metadata: services.compute.metadataApp,
    network: services.network.app,
  }
  for (const service of Object.keys(standardPorts) as ServiceName[]) {
    undo.use(await listen(apps[service], settings.listen, [portOf(settings, service)]))
  }
  return undo.move()
}

async function makeFirstThings(
  options: CloudOptions,
  services: Services,
  builtImage: () => Promise<GuestImage>,
): Promise<void> {
  const { stateDir, settings, secrets, onProgress } = options
  const { adminPassword } = secrets
  const sends = services.sends
  const identity = sendByInject(services.identity.app)
  const token = passwordAuthenticator(identity, {
    username: 'admin',
    password: adminPassword,
    projectName: 'admin',
  })
  const { imageFile } = settings
  await firstStart({
    stateDir,
    admin: await adminClient(sends, adminPassword),
    providerCidr: settings.providerCidr,
    guestImage: imageFile === null ? builtImage : async () => userImage(imageFile),
    upload: uploadBy(sends.image, token),
    onProgress,
  })
}
