/** The hosts of a cloud, real or simulated, brought up and made known to compute. */
import { networkInterfaces } from 'node:os'
import type { Logger } from '../../base/log.ts'
import { hostRun } from '../../linux/run.ts'
import type { Services } from '../services.ts'
import type { GuestImage } from './first-start.ts'
import { type CloudSecrets, type CloudSettings, layout } from './settings.ts'
import { startSimulatedHosts } from './simulated-hosts.ts'

interface HostsDeps {
  stateDir: string
  settings: CloudSettings
  secrets: CloudSecrets
  services: Services
  log: Logger
  onProgress: (text: string) => void
}

export interface Hosts extends AsyncDisposable {
  /** Makes the image that a new cloud offers. */
  guestImage(): Promise<GuestImage>
}

export async function openHosts(deps: HostsDeps): Promise<Hosts> {
  return deps.settings.simulated ? openSimulatedHosts(deps) : openRealHost(deps)
}

async function openSimulatedHosts(deps: HostsDeps): Promise<Hosts> {
  const { settings, services } = deps
  deps.onProgress(`starting ${settings.hosts} simulated hosts`)
  await using undo = new AsyncDisposableStack()
  const simulated = undo.use(
    await startSimulatedHosts({
      count: settings.hosts,
      namePrefix: 'host-',
      bus: services.bus,
      server: services.network.agentServer,
      log: deps.log.child({ service: 'network.agents' }),
      directory: layout(deps.stateDir).instances,
    }),
  )
  undo.use(await services.compute.startHosts(simulated.hosts))
  const life = undo.move()
  const image: GuestImage = {
    name: 'kilonova',
    file: Buffer.alloc(1024 * 1024, 'kilonova'),
    diskFormat: 'raw',
    properties: {},
  }
  return { guestImage: async () => image, [Symbol.asyncDispose]: () => life.disposeAsync() }
}

async function openRealHost(deps: HostsDeps): Promise<Hosts> {
  const { stateDir, settings, services, onProgress } = deps
  // Loaded only here: a simulated cloud needs nothing of it.
  const { keepLibvirt, openDriver, startNetworkAgents } = await import('./host.ts')
  await using undo = new AsyncDisposableStack()
  const driver = await openDriver(deps)
  undo.use(keepLibvirt(deps))
  const hostIp = hostAddress(settings)
  undo.use(
    await startNetworkAgents({ ...deps, bus: services.bus, server: services.network.agentServer, hostIp }),
  )
  onProgress('starting the compute agent')
  undo.use(await services.compute.startHosts([{ host: settings.hostName, hostIp, driver }]))
  const life = undo.move()
  return {
    async guestImage() {
      const { buildGuestImage } = await import('../../compute/virt/guest-image/build.ts')
      const file = await buildGuestImage({
        directory: layout(stateDir).guestImage,
        run: hostRun(deps.log),
        log: deps.log,
        progress: (step) => onProgress(`building the guest image: ${step}`),
      })
      return { name: 'kilonova', file, diskFormat: 'qcow2', properties: { hw_rng_model: 'virtio' } }
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}

/** `my_ip`: the address that the APIs listen on, or the first that is not a loopback. */
function hostAddress(settings: CloudSettings): string {
  if (!['127.0.0.1', '0.0.0.0', '::', '::1'].includes(settings.listen)) return settings.listen
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1'
}
