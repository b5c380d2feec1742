/**
 * What the network agents and neutron-server say to each other. Agents ask for what is wanted on their host and report
 * what became of it; the server wakes them (`fanout`, `wake`), and tells what all of them would ask for alike.
 */
import type { SecurityGroupRule } from './rules.ts'

/** Topic that neutron-server serves. */
export const serverTopic = 'q-plugin'
/** Topics of the agents; the server sends `changed` to them as fanout: read again. */
export const l2AgentTopic = 'q-agent-notifier'
export const dhcpAgentTopic = 'dhcp_agent'

/**
 * What a `changed` fanout carries: whom it concerns, so that a thousand others need not ask. Nothing in it: everybody.
 */
export interface Changed {
  /** Those whose own ports or networks changed. */
  hosts?: readonly string[]
  /** All that have a port on these networks, or serve their DHCP. */
  networks?: readonly string[]
  /** All that have a port in these groups. */
  securityGroups?: readonly string[]
  /** All that reach other ports of these networks through tunnels. */
  tunnelled?: readonly string[]
  /** All that have a rule that names one of these groups. */
  remoteGroups?: readonly string[]
  /** With this nobody needs to ask who has not missed something before. */
  news?: News
}

/**
 * What changed of members and of other hosts' ports. It leads one whose knowledge stands at `from` or later to `to`,
 * unless something else changed for him too. What was read for it is at least as new as `to`.
 */
export interface News {
  /** Of both revisions; another database's news say nothing. */
  epoch: string
  from: number
  to: number
  /** Hosts with ports of their own, networks and security groups that changed, each with the revision of its last change. */
  hosts: Readonly<Record<string, number>>
  networks: Readonly<Record<string, number>>
  securityGroups: Readonly<Record<string, number>>
  members: readonly Member[]
  remotePorts: readonly PlacedPort[]
}

/** Where an agent's knowledge stands. */
export interface Since {
  host: string
  /** Of the last answer; null: tell everything. */
  revision: string | null
}

/** What an answer brings an agent to. */
export interface Answer {
  /** To ask again with: what changed after this answer. */
  revision: string
  /** True: this is all there is. False: what changed, and what did not is as it was. */
  whole: boolean
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
  /** False: forged senders are refused, and nothing else is: the server has no security groups. */
  packetFilter?: false
  fixedIps: readonly FixedIp[]
  allowedAddressPairs: readonly { ipAddress: string; macAddress: string }[]
  securityGroupIds: readonly string[]
  /** What the server believes; the agent reports only what differs. */
  status: string
}

export interface WantedGroup {
  stateful: boolean
  rules: SecurityGroupRule[]
}

/** A port in a security group that some rule names as remote. */
export interface Member {
  groupId: string
  portId: string
  /** As CIDRs; none: it is no longer a member. */
  addresses: string[]
}

/** A port of a vxlan network that lives on another host (l2 population). */
export interface RemotePort {
  portId: string
  networkId: string
  macAddress: string
  /** Where its host's tunnels end; null: there is nobody there any more. */
  tunnelIp: string | null
}

/** As all hosts are told of it: to its own host it is none of the others'. */
export interface PlacedPort extends RemotePort {
  /** Empty when it is gone. */
  host: string
}

/** A port as it is reached from a host. */
export const seenFrom = (host: string, { host: own, ...port }: PlacedPort): RemotePort =>
  own === host ? { ...port, tunnelIp: null } : port

/** What the L2 agent of one host has to know. What no port of the host needs it forgets on its own. */
export interface WantedL2 extends Answer {
  networks: WantedNetwork[]
  ports: WantedPort[]
  /** Ports that the host no longer wires. */
  gonePorts: string[]
  securityGroups: Record<string, WantedGroup>
  members: Member[]
  remotePorts: RemotePort[]
}

/** What the L2 agent has been told already: of anything else it is told all. */
export interface KnownL2 {
  networks: readonly string[]
  /** Those of them whose other hosts it reaches through tunnels. */
  tunnelled: readonly string[]
  securityGroups: readonly string[]
  /** Groups whose members it knows. */
  remoteGroups: readonly string[]
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
  ports: DhcpClient[]
}

/** One who may ask for a lease. */
export interface DhcpClient {
  id: string
  macAddress: string
  deviceOwner: string
  dnsName: string
  fixedIps: readonly FixedIp[]
  extraDhcpOptions: { name: string; value: string | null; ipVersion: 4 | 6 }[]
}

export interface WantedDhcp extends Answer {
  /** Networks that are new to the agent, or changed themselves, with all their ports. */
  networks: WantedDhcpNetwork[]
  /** Networks that it no longer serves. */
  goneNetworks: string[]
  /** Ports that came or changed on networks that did not. */
  ports: (DhcpClient & { networkId: string })[]
  gonePorts: { id: string; networkId: string }[]
}

/** The methods of `q-plugin`. Each is idempotent. */
export interface ServerMethods {
  reportState(args: AgentReport): Promise<{ known: boolean }>
  /**
   * What a host's L2 agent must do, or what changed of it since it last asked. With `own` that is its own ports and
   * their networks and groups, and nothing that news tell.
   */
  wantedL2(args: Since & { known: KnownL2; own?: boolean }): Promise<WantedL2>
  /** The agent wired these ports, or found their devices gone. The server sets ACTIVE or DOWN and tells compute. */
  portsChanged(args: { host: string; up: string[]; down: string[] }): Promise<void>
  /** The same for its DHCP agent; `networks` are those that it serves. */
  wantedDhcp(args: Since & { networks: readonly string[] }): Promise<WantedDhcp>
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
