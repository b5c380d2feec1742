/** The one host of a real cloud: libvirt, its network agents, the provider network; and all of it taken away again. */
import { join } from 'node:path'
import type { Bus } from '../../base/bus/bus.ts'
import { Fault } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../../base/log.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import type { Driver } from '../../compute/virt/driver.ts'
import { startLibvirt, stopLibvirt } from '../../compute/virt/libvirt/daemon.ts'
import { createLibvirtDriver } from '../../compute/virt/libvirt/driver.ts'
import { realHost } from '../../linux/host.ts'
import { hostRun } from '../../linux/run.ts'
import { defaultBridgeOptions } from '../../network/agents/bridge/options.ts'
import {
  chooseProviderCidr,
  createProviderNetwork,
  findOverlap,
} from '../../network/agents/bridge/provider-network.ts'
import { startBridgeAgent } from '../../network/agents/bridge/start-bridge-agent.ts'
import { hostDaemons } from '../../network/agents/dhcp/daemons.ts'
import { type DhcpOptions, defaultDhcpOptions } from '../../network/agents/dhcp/options.ts'
import { startDhcpAgent } from '../../network/agents/dhcp/start-dhcp-agent.ts'
import { forwardOverHttp } from '../../network/agents/metadata/metadata-proxy.ts'
import { startMetadataAgent } from '../../network/agents/metadata/start-metadata-agent.ts'
import { purgeHost as purgeNetwork } from '../../network/agents/purge-host.ts'
import type { ServerMethods } from '../../network/rpc/agents.ts'
import { type CloudSecrets, type CloudSettings, layout, portOf, urlOf } from './settings.ts'

interface HostDeps {
  stateDir: string
  settings: CloudSettings
  log: Logger
  onProgress: (text: string) => void
}

const dhcpOptions = (stateDir: string): DhcpOptions => ({
  ...defaultDhcpOptions,
  stateDirectory: layout(stateDir).network,
  metadataProxySocket: join(stateDir, 'run/metadata-proxy'),
})

// Guests of two clouds would have the same names under one libvirtd; only the default cloud shares the system's.
function ensureLibvirt({ stateDir, settings }: HostDeps, log: Logger) {
  return startLibvirt({ stateDir, log, run: hostRun(log), alwaysPrivate: settings.id !== 'default' })
}

/** Starts a libvirtd that died again: the driver waits for it, guests run on without it. */
export function keepLibvirt(deps: HostDeps): AsyncDisposable {
  const log = deps.log.child({ service: 'compute.libvirt' })
  const task = {
    name: 'keep-libvirt',
    everySeconds: 5,
    run: async () => {
      await ensureLibvirt(deps, log)
    },
  }
  return runTasks([task], { log })
}

/** Starts libvirt where it does not run, and returns the driver for it, not yet connected. */
export async function openDriver(deps: HostDeps): Promise<Driver> {
  const { stateDir, settings } = deps
  const log = deps.log.child({ service: 'compute.libvirt' })
  const run = hostRun(log)
  deps.onProgress('starting libvirt')
  const { socketPath } = await ensureLibvirt(deps, log)
  const instancesPath = layout(stateDir).instances
  return createLibvirtDriver({
    socketPath,
    instancesPath,
    run,
    log,
    cloudId: settings.id,
    virtType: settings.virtType,
  })
}

/** Makes the provider network and starts the three network agents. Disposing stops the agents, not the network. */
export async function startNetworkAgents(
  deps: HostDeps & {
    bus: Bus
    /** Network's side of the agents, called straight. */
    server: ServerMethods
    secrets: CloudSecrets
    /** This host's end of tunnels. */
    hostIp: string
  },
): Promise<AsyncDisposable> {
  const { stateDir, settings, bus } = deps
  await using undo = new AsyncDisposableStack()
  const log = deps.log.child({ service: 'network.agents' })
  const run = hostRun(log)
  const host = realHost(run, log)
  deps.onProgress('starting the network agents')
  const provider = await createProviderNetwork(host, settings.id, settings.providerCidr)
  const common = { bus, server: deps.server, host, hostName: settings.hostName, log, cloudId: settings.id }
  const dhcp = dhcpOptions(stateDir)
  const vxlan = { ...defaultBridgeOptions.vxlan, enabled: true, localIp: deps.hostIp }
  const physicalInterfaceMappings = { provider: provider.interfaceName }
  const agents = await Promise.all([
    startBridgeAgent({ ...common, options: { ...defaultBridgeOptions, physicalInterfaceMappings, vxlan } }),
    startDhcpAgent({ ...common, daemons: hostDaemons(run, dhcp), options: dhcp }),
    startMetadataAgent({
      ...common,
      options: {
        metadataProxySocket: dhcp.metadataProxySocket,
        metadataProxySharedSecret: deps.secrets.metadataProxySecret,
        novaMetadataHost: settings.listen,
        novaMetadataPort: portOf(settings, 'metadata'),
      },
      forward: forwardOverHttp(urlOf(settings, 'metadata')),
    }),
  ])
  for (const agent of agents) undo.use(agent)
  return undo.move()
}

/** The range that was asked for, refused when it overlaps with what this host has; else the first free one. */
export async function freeProviderCidr(cloudId: string, asked: string | undefined): Promise<string> {
  const host = realHost(hostRun(silentLogger), silentLogger)
  if (asked === undefined) return chooseProviderCidr(host, cloudId)
  const overlap = await findOverlap(host, cloudId, asked)
  if (overlap === undefined) return asked
  const free = await chooseProviderCidr(host, cloudId)
  throw new Fault(
    'conflict',
    `The provider network ${asked} overlaps with this host: ${overlap}. This one is free: --provider-cidr ${free}`,
  )
}

/** Stops the daemons that `down` takes along; guests and their networks stay. */
export async function stopHost(stateDir: string, log: Logger): Promise<void> {
  await stopLibvirt({ stateDir, log })
}

/** Deletes every guest, device, rule and daemon of this cloud; other clouds' stay. */
export async function purgeHost(deps: HostDeps): Promise<void> {
  const { stateDir, settings, log } = deps
  const run = hostRun(log)
  {
    await using driver = await openDriver(deps)
    await driver.start(() => undefined)
    deps.onProgress('deleting servers')
    for (const guest of await driver.listGuests()) await driver.destroy(guest.uuid)
  }
  await stopLibvirt({ stateDir, log, purge: true })
  deps.onProgress('deleting networks')
  const daemons = hostDaemons(run, dhcpOptions(stateDir))
  await purgeNetwork({ host: realHost(run, log), daemons, cloudId: settings.id })
}
