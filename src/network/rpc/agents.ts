/**
 * What the network agents and neutron-server say to each other. Agents ask for what is wanted on their host and report
 * what became of it; the server only wakes them (`fanout`), it never tells them what to do.
 */
import type { SecurityGroupRule } from './rules.ts'

/** Topic that neutron-server serves. */
export const serverTopic = 'q-plugin'
/** Topics of the agents; the server sends `changed` to them as fanout: read again. */
export const l2AgentTopic = 'q-agent-notifier'
export const dhcpAgentTopic = 'dhcp_agent'

/** What a `changed` fanout carries: the hosts it concerns, so that a thousand others need not ask; none: everybody. */
export interface Changed {
  hosts?: readonly string[]
}

/** `agents.configurations` and the rest of what `GET /agents` shows. Sent every report_interval seconds. */
export interface AgentReport {
  /** `Linux bridge agent`, `DHCP agent`, `Metadata agent`, `L3 agent`. */
  agentType: string
  /** `neutron-linuxbridge-agent` and so on. */
  binary: string
  host: string
  /** The topic the agent serves; `N/A` for those that serve none. */
  topic: string
  configurations: Record<string, unknown>
  availabilityZone?: string
  /** True on the first report after the agent started. */
  started: boolean
}

export interface FixedIp {
  subnetId: string
  ipAddress: string
  /** Prefix length of the subnet. */
  prefixLength: number
}

/** One segment of a network as this host must wire it. */
export interface WantedNetwork {
  id: string
  networkType: 'flat' | 'local' | 'vlan' | 'vxlan'
  physicalNetwork: string | null
  /** VLAN id or VNI. */
  segmentationId: number | null
  mtu: number
  adminStateUp: boolean
}

/** A port bound to the asking host. */
export interface WantedPort {
  id: string
  networkId: string
  macAddress: string
  deviceOwner: string
  deviceId: string
  adminStateUp: boolean
  /** False: no security groups and no anti-spoofing at all. */
  portSecurityEnabled: boolean
  fixedIps: readonly FixedIp[]
  allowedAddressPairs: readonly { ipAddress: string; macAddress: string }[]
  securityGroupIds: readonly string[]
  /** What the server believes; the agent reports only what differs. */
  status: string
}

/** Everything the L2 agent of one host has to know. `remoteGroups` holds the members of groups named in rules. */
export interface WantedL2 {
  networks: WantedNetwork[]
  ports: WantedPort[]
  securityGroups: Record<string, { stateful: boolean; rules: SecurityGroupRule[] }>
  /** Security group id → addresses of all its members, as CIDRs. */
  remoteGroups: Record<string, { ipv4: string[]; ipv6: string[] }>
  /** vxlan only: the other hosts' tunnel addresses, and who lives behind each (l2 population). */
  tunnels: { host: string; ip: string }[]
  forwarding: { networkId: string; macAddress: string; ipAddresses: string[]; tunnelIp: string }[]
}

export interface WantedSubnet {
  id: string
  cidr: string
  ipVersion: 4 | 6
  gatewayIp: string | null
  enableDhcp: boolean
  dnsNameservers: string[]
  hostRoutes: { destination: string; nexthop: string }[]
  ipv6RaMode: string | null
  ipv6AddressMode: string | null
}

/** A network whose DHCP this host serves, with everybody who may ask for a lease. */
export interface WantedDhcpNetwork {
  id: string
  mtu: number
  /** `dhcp_domain`, such as `openstacklocal`. */
  dnsDomain: string
  subnets: WantedSubnet[]
  /** The port the agent itself uses; null until `ensureDhcpPort`. */
  dhcpPort: { id: string; macAddress: string; fixedIps: readonly FixedIp[] } | null
  ports: {
    id: string
    macAddress: string
    deviceOwner: string
    dnsName: string
    fixedIps: readonly FixedIp[]
    extraDhcpOptions: { name: string; value: string | null; ipVersion: 4 | 6 }[]
  }[]
}

/** The methods of `q-plugin`. Each is idempotent. */
export interface ServerMethods {
  reportState(args: AgentReport): Promise<{ known: boolean }>
  /** The whole wanted state of a host for its L2 agent. */
  wantedL2(args: { host: string }): Promise<WantedL2>
  /** The agent wired these ports, or found their devices gone. The server sets ACTIVE or DOWN and tells compute. */
  portsChanged(args: { host: string; up: string[]; down: string[] }): Promise<void>
  wantedDhcp(args: { host: string }): Promise<WantedDhcpNetwork[]>
  /** Creates the agent's own port on the network (device_owner network:dhcp) unless it is there. */
  ensureDhcpPort(args: {
    host: string
    networkId: string
  }): Promise<NonNullable<WantedDhcpNetwork['dhcpPort']>>
  releaseDhcpPort(args: { host: string; networkId: string }): Promise<void>
  /** These ports can be served by DHCP now: the other half of a port becoming ACTIVE. */
  dhcpReady(args: { portIds: string[] }): Promise<void>
  /** Metadata: which server asks, by the network it asks from and its address. */
  findPort(args: {
    networkId: string
    ipAddress: string
  }): Promise<{ deviceId: string; projectId: string } | null>
}
