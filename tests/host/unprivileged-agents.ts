/** The network agents of one host, for `rootwrap.test.ts`: run as a user without rights, they serve one network and say so. */
import { mkdir } from 'node:fs/promises'
import { createMemoryBus } from '../../src/base/bus/memory.ts'
import { describeError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/log.ts'
import { realHost } from '../../src/linux/host.ts'
import { rootHelper } from '../../src/linux/rootwrap/client.ts'
import { hostRun } from '../../src/linux/run.ts'
import { defaultBridgeOptions } from '../../src/network/agents/bridge/options.ts'
import { startBridgeAgent } from '../../src/network/agents/bridge/start-bridge-agent.ts'
import { hostDaemons } from '../../src/network/agents/dhcp/daemons.ts'
import { defaultDhcpOptions } from '../../src/network/agents/dhcp/options.ts'
import { startDhcpAgent } from '../../src/network/agents/dhcp/start-dhcp-agent.ts'
import { startMetadataAgent } from '../../src/network/agents/metadata/start-metadata-agent.ts'
import {
  aGroup,
  aNetwork,
  aPort,
  aRule,
  emptyWanted,
  networkId,
  stubServer,
} from '../../src/network/agents/testing.ts'

const [directory = ''] = process.argv.slice(2)
const log = silentLogger
const bus = createMemoryBus()
const server = await stubServer(bus)
const helper = rootHelper({ project: 'neutron', rootHelper: 'sudo', log })
const run = hostRun(log, helper)
const deps = { bus, hostName: 'host', log, cloudId: 'default', host: realHost(run, log) }
const metadataProxySocket = `${directory}/metadata_proxy`
const options = { ...defaultDhcpOptions, stateDirectory: directory, metadataProxySocket }
await mkdir(directory, { recursive: true })

const guest = aPort(3)
const dhcpPort = aPort(2, { deviceOwner: 'network:dhcp', securityGroupIds: [], status: 'ACTIVE' })
const subnet = {
  id: 'subnet',
  cidr: '10.0.0.0/24',
  ipVersion: 4 as const,
  gatewayIp: null,
  enableDhcp: true,
  dnsNameservers: [],
  hostRoutes: [],
  ipv6RaMode: null,
  ipv6AddressMode: null,
}
const serve = (ports: (typeof guest)[]) => {
  server.wanted = {
    ...emptyWanted(),
    networks: [aNetwork({ networkType: 'flat', physicalNetwork: 'provider' })],
    ports: [...ports, dhcpPort],
    securityGroups: aGroup([aRule({ id: 'ping', protocol: 'icmp' })]),
  }
  server.dhcp =
    ports.length === 0
      ? []
      : [
          {
            id: networkId,
            mtu: 1500,
            dnsDomain: 'openstacklocal',
            subnets: [subnet],
            dhcpPort: { id: dhcpPort.id, macAddress: dhcpPort.macAddress, fixedIps: dhcpPort.fixedIps },
            ports: ports.map((port) => ({ ...port, dnsName: '', extraDhcpOptions: [] })),
          },
        ]
}
server.findPort = () => ({ deviceId: 'server-3', projectId: 'project' })
serve([guest])
const bridgeAgent = await startBridgeAgent({
  ...deps,
  options: { ...defaultBridgeOptions, physicalInterfaceMappings: { provider: 'nic' } },
})
const dhcpAgent = await startDhcpAgent({ ...deps, daemons: hostDaemons(run, options), options })
const metadataAgent = await startMetadataAgent({
  ...deps,
  options: {
    metadataProxySocket,
    metadataProxySharedSecret: 's',
    novaMetadataHost: 'n',
    novaMetadataPort: 1,
  },
  forward: async () => ({ status: 200, contentType: 'text/plain', body: Buffer.from('who you are') }),
})

/** What the test says on a line, and what it is told. */
const commands: Record<string, () => Promise<unknown>> = {
  async serve() {
    await dhcpAgent.sync()
    await bridgeAgent.sync()
  },
  async reload() {
    serve([guest, aPort(4)])
    await commands['serve']!()
  },
  async withdraw() {
    serve([])
    await commands['serve']!()
  },
  // What somebody would try who took over the agent.
  shell: () => run('ip', ['netns', 'exec', 'x', 'sh', '-c', 'id']),
  async end() {
    for (const agent of [bridgeAgent, dhcpAgent, metadataAgent, server]) await agent[Symbol.asyncDispose]()
    await bus.close()
    helper[Symbol.dispose]()
  },
}
console.log('started')
for await (const line of process.stdin) {
  const name = String(line).trim()
  try {
    await commands[name]!()
    console.log(`done ${name}`)
  } catch (error) {
    console.log(`failed ${name}: ${describeError(error).replaceAll('\n', ' ')}`)
  }
  if (name === 'end') break
}
process.stdin.destroy()
