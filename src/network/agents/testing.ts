/** A neutron-server for tests of the agents: it wants what a test says, and keeps what it is told. */
import type { Bus } from '../../base/bus/bus.ts'
import {
  type AgentReport,
  dhcpAgentTopic,
  l2AgentTopic,
  serverTopic,
  type WantedDhcp,
  type WantedDhcpNetwork,
  type WantedGroup,
  type WantedL2,
  type WantedNetwork,
  type WantedPort,
} from '../rpc/agents.ts'
import type { SecurityGroupRule } from '../rpc/rules.ts'

/** What a test wants of the L2 agent, in short. */
export interface StubWanted {
  networks: WantedNetwork[]
  ports: WantedPort[]
  securityGroups: Record<string, WantedGroup>
  /** Group → the addresses of its members. */
  remoteGroups: Record<string, { ipv4: string[]; ipv6: string[] }>
  forwarding: { networkId: string; macAddress: string; tunnelIp: string }[]
}

export interface StubServer extends AsyncDisposable {
  wanted: StubWanted
  dhcp: WantedDhcpNetwork[]
  findPort: (args: { networkId: string; ipAddress: string }) => { deviceId: string; projectId: string } | null
  reports: AgentReport[]
  dhcpReady: string[]
  released: string[]
  changed(hosts?: string[]): Promise<void>
}

/** Serves `q-plugin`. Ports that an agent reports become ACTIVE or DOWN as in the real server. */
export async function stubServer(bus: Bus): Promise<StubServer> {
  const state = {
    wanted: emptyWanted(),
    dhcp: [] as WantedDhcpNetwork[],
    findPort: () => null,
    reports: [] as AgentReport[],
    dhcpReady: [] as string[],
    released: [] as string[],
  } as Omit<StubServer, 'changed' | typeof Symbol.asyncDispose>
  const serving = await bus.serve(
    { topic: serverTopic, server: 'stub' },
    {
      reportState: (report: AgentReport) => {
        state.reports.push(report)
        return { known: true }
      },
      wantedL2: () => wantedL2(state.wanted),
      portsChanged: ({ up, down }: { up: string[]; down: string[] }) => {
        for (const port of state.wanted.ports) {
          if (up.includes(port.id)) port.status = 'ACTIVE'
          if (down.includes(port.id)) port.status = 'DOWN'
        }
      },
      wantedDhcp: (): WantedDhcp => ({
        revision: '0',
        whole: true,
        networks: state.dhcp,
        goneNetworks: [],
        ports: [],
        gonePorts: [],
      }),
      ensureDhcpPort: ({ networkId }: { networkId: string }) => {
        const network = state.dhcp.find(({ id }) => id === networkId)
        if (network === undefined) throw new Error(`no network ${networkId}`)
        const fixedIps = network.subnets.map((subnet) => ({
          subnetId: subnet.id,
          ipAddress: subnet.cidr.replace(/0?\/\d+$/, '2'),
          prefixLength: Number(subnet.cidr.split('/')[1]),
        }))
        network.dhcpPort = { id: `d${networkId.slice(1)}`, macAddress: 'fa:16:3e:dd:dd:dd', fixedIps }
        return network.dhcpPort
      },
      releaseDhcpPort: ({ networkId }: { networkId: string }) => {
        state.released.push(networkId)
      },
      dhcpReady: ({ portIds }: { portIds: string[] }) => {
        state.dhcpReady.push(...portIds)
      },
      findPort: (args: { networkId: string; ipAddress: string }) => state.findPort(args),
    },
  )
  return Object.assign(state, {
    async changed(hosts?: string[]) {
      const args = hosts === undefined ? {} : { hosts }
      await bus.fanout(l2AgentTopic, 'changed', args)
      await bus.fanout(dhcpAgentTopic, 'changed', args)
    },
    [Symbol.asyncDispose]: async () => serving[Symbol.asyncDispose](),
  })
}

/** Always a whole answer; each address is a member of its own. */
const wantedL2 = (wanted: StubWanted): WantedL2 => ({
  revision: '0',
  whole: true,
  networks: wanted.networks,
  ports: wanted.ports,
  gonePorts: [],
  securityGroups: wanted.securityGroups,
  members: Object.entries(wanted.remoteGroups).flatMap(([groupId, { ipv4, ipv6 }]) =>
    [...ipv4, ...ipv6].map((address) => ({ groupId, portId: address, addresses: [address] })),
  ),
  remotePorts: wanted.forwarding.map((entry) => ({ portId: entry.macAddress, ...entry })),
})

export const emptyWanted = (): StubWanted => ({
  networks: [],
  ports: [],
  securityGroups: {},
  remoteGroups: {},
  forwarding: [],
})

export const networkId = '11111111-1111-4111-8111-111111111111'
export const groupId = '99999999-9999-4999-8999-999999999999'

export const aNetwork = (values: Partial<WantedNetwork> = {}): WantedNetwork => ({
  id: networkId,
  networkType: 'local',
  physicalNetwork: null,
  segmentationId: null,
  mtu: 1500,
  adminStateUp: true,
  ...values,
})

/** The n-th port of the network: 10.0.0.n, fa:16:3e:00:00:0n. */
export const aPort = (n: number, values: Partial<WantedPort> = {}): WantedPort => ({
  id: `${String(n).padStart(8, 'a')}-2222-4222-8222-222222222222`,
  networkId,
  macAddress: `fa:16:3e:00:00:${String(n).padStart(2, '0')}`,
  deviceOwner: 'compute:nova',
  deviceId: `server-${n}`,
  adminStateUp: true,
  portSecurityEnabled: true,
  fixedIps: [{ subnetId: 'subnet', ipAddress: `10.0.0.${n}`, prefixLength: 24 }],
  allowedAddressPairs: [],
  securityGroupIds: [groupId],
  status: 'DOWN',
  ...values,
})

export const aRule = (values: Partial<SecurityGroupRule> = {}): SecurityGroupRule => ({
  id: 'rule',
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  ...values,
})

/** A group whose members may say anything and hear what `rules` allow. */
export const aGroup = (rules: SecurityGroupRule[] = []): StubWanted['securityGroups'] => ({
  [groupId]: {
    stateful: true,
    rules: [
      aRule({ id: 'out4', direction: 'egress' }),
      aRule({ id: 'out6', direction: 'egress', ethertype: 'IPv6' }),
      ...rules,
    ],
  },
})
