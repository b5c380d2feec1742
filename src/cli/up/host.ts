/** The one host of a real cloud: libvirt, its network agents, the provider network; and all of it taken away again. */
import { join } from 'node:path'
import type { Bus } from '../../base/bus/bus.ts'
import type { Logger } from '../../base/log.ts'
import type { Driver } from '../../compute/virt/driver.ts'
import { startLibvirt, stopLibvirt } from '../../compute/virt/libvirt/daemon.ts'
import { createLibvirtDriver } from '../../compute/virt/libvirt/driver.ts'
import { realHost } from '../../linux/host.ts'
import { hostRun } from '../../linux/run.ts'
import { defaultBridgeOptions } from '../../network/agents/bridge/options.ts'
import { createProviderNetwork } from '../../network/agents/bridge/provider-network.ts'
import { startBridgeAgent } from '../../network/agents/bridge/start-bridge-agent.ts'
import { hostDaemons } from '../../network/agents/dhcp/daemons.ts'
import { type DhcpOptions, defaultDhcpOptions } from '../../network/agents/dhcp/options.ts'
import { startDhcpAgent } from '../../network/agents/dhcp/start-dhcp-agent.ts'
import { forwardOverHttp } from '../../network/agents/metadata/metadata-proxy.ts'
import { startMetadataAgent } from '../../network/agents/metadata/start-metadata-agent.ts'
import { purgeHost as purgeNetwork } from '../../network/agents/purge-host.ts'
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

/** Starts libvirt where it does not run, and returns the driver for it, not yet connected. */
export async function openDriver(deps: HostDeps): Promise<Driver> {
  const { stateDir, settings } = deps
  const log = deps.log.child({ service: 'compute.libvirt' })
  const run = hostRun(log)
  deps.onProgress('starting libvirt')
  const { socketPath } = await startLibvirt({ stateDir, log, run })
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
  const common = { bus, host, hostName: settings.hostName, log, cloudId: settings.id }
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
