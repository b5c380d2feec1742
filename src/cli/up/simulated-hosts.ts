/** Simulated hosts: the real agents over a simulated hypervisor and a simulated network, any number of them. */
import { join } from 'node:path'
import type { Bus } from '../../base/bus/bus.ts'
import type { Logger } from '../../base/log.ts'
import type { AgentHost } from '../../compute/agent/handlers.ts'
import { FakeDriver } from '../../compute/virt/fake/driver.ts'
import { FakeHost } from '../../linux/fake/fake-host.ts'
import { defaultBridgeOptions } from '../../network/agents/bridge/options.ts'
import { startBridgeAgent } from '../../network/agents/bridge/start-bridge-agent.ts'
import { simulatedDaemons } from '../../network/agents/dhcp/daemons.ts'
import { defaultDhcpOptions } from '../../network/agents/dhcp/options.ts'
import { startDhcpAgent } from '../../network/agents/dhcp/start-dhcp-agent.ts'
import { startMetadataAgent } from '../../network/agents/metadata/start-metadata-agent.ts'
import type { ServerMethods } from '../../network/rpc/agents.ts'

export interface SimulatedHost extends AgentHost {
  driver: FakeDriver
  network: FakeHost
}

interface SimulatedHostsOptions {
  count: number
  /** `host-1`, `host-2` and so on begin with this. */
  namePrefix: string
  bus: Bus
  /** Network's side of the agents, called straight: a thousand hosts' messages need no copying. */
  server: ServerMethods
  log: Logger
  /** Guests survive the program there; without it they do not. */
  directory?: string
}

export interface SimulatedHosts extends AsyncDisposable {
  hosts: readonly SimulatedHost[]
}

/** Starts the network agents of the hosts; the compute agents are started with `hosts`. */
export async function startSimulatedHosts(options: SimulatedHostsOptions): Promise<SimulatedHosts> {
  const { bus, server, log } = options
  await using undo = new AsyncDisposableStack()
  const hosts = Array.from({ length: options.count }, (_, index) => makeHost(options, index + 1))
  for (const [index, each] of hosts.entries()) {
    const common = { bus, server, log, host: each.network, hostName: each.host, cloudId: 'default' }
    const tunnels = { ...defaultBridgeOptions.vxlan, enabled: true, localIp: each.hostIp }
    const physicalInterfaceMappings = { provider: 'eth0' }
    undo.use(
      await startBridgeAgent({
        ...common,
        options: { ...defaultBridgeOptions, physicalInterfaceMappings, vxlan: tunnels },
      }),
    )
    // As on a controller: the first host has the other agents.
    if (index > 0) continue
    const dhcp = { ...defaultDhcpOptions, stateDirectory: '/nonexistent', metadataProxySocket: '' }
    undo.use(await startDhcpAgent({ ...common, daemons: simulatedDaemons(), options: dhcp }))
    const metadata = {
      metadataProxySocket: null,
      metadataProxySharedSecret: '',
      novaMetadataHost: '127.0.0.1',
      novaMetadataPort: 8775,
    }
    undo.use(
      await startMetadataAgent({
        ...common,
        options: metadata,
        forward: () => Promise.reject(new Error('no guest asks')),
      }),
    )
  }
  const life = undo.move()
  return { hosts, [Symbol.asyncDispose]: () => life.disposeAsync() }
}

function makeHost(options: SimulatedHostsOptions, number: number): SimulatedHost {
  const host = `${options.namePrefix}${number}`
  const network = new FakeHost()
  network.addPhysical('eth0')
  const directory = options.directory === undefined ? {} : { directory: join(options.directory, host) }
  const driver = new FakeDriver({ host, taps: network, ...directory })
  driver.restore()
  return { host, hostIp: `10.255.${Math.floor(number / 250)}.${(number % 250) + 1}`, driver, network }
}
