/** What neutron's agents read: `neutron.conf` and each its own file. */
import { messagingOptions } from '../../base/bus/options.ts'
import { hostOptions } from '../../base/config/common/host.ts'
import { lockOptions } from '../../base/config/common/locks.ts'
import { loggingOptions } from '../../base/config/common/logging.ts'
import { simulationOptions } from '../../base/config/common/simulation.ts'
import {
  bool,
  type Config,
  choice,
  dict,
  float,
  int,
  list,
  optional,
  port,
  text,
} from '../../base/config/option.ts'
import type { BridgeOptions } from '../agents/bridge/options.ts'
import type { DhcpOptions } from '../agents/dhcp/options.ts'

export const agentOptions = {
  ...loggingOptions,
  ...messagingOptions,
  ...hostOptions,
  ...simulationOptions,
  ...lockOptions,
  statePath: {
    name: 'state_path',
    type: text,
    default: '/var/lib/neutron',
    help: 'Directory of what neutron keeps on this host.',
  },
  reportIntervalSeconds: {
    group: 'agent',
    name: 'report_interval',
    type: float({ min: 0 }),
    default: 30,
    help: 'Seconds between signs of life to the server; less than half of its agent_down_time.',
  },
} as const

/** How an agent that does not run as root gets done what only root may. */
export const rootHelperOptions = {
  rootHelper: {
    group: 'agent',
    name: 'root_helper',
    type: text,
    default: 'sudo',
    help: 'What an agent that does not run as root starts its privileged helper with, kilonova-rootwrap. The name of a helper of OpenStack, and what follows it, stands for that one.',
  },
  rootHelperDaemon: {
    group: 'agent',
    name: 'root_helper_daemon',
    type: optional(text),
    default: null,
    help: 'The same; where it is set, root_helper is not looked at.',
  },
} as const

/** By today's names and by the classes that they stood for. */
const firewallDrivers = [
  'iptables',
  'iptables_hybrid',
  'noop',
  'neutron.agent.linux.iptables_firewall.IptablesFirewallDriver',
  'neutron.agent.linux.iptables_firewall.OVSHybridIptablesFirewallDriver',
  'neutron.agent.firewall.NoopFirewallDriver',
] as const

export const linuxbridgeAgentOptions = {
  ...agentOptions,
  ...rootHelperOptions,
  physicalInterfaceMappings: {
    group: 'linux_bridge',
    name: 'physical_interface_mappings',
    type: dict,
    default: {},
    help: 'The NIC that carries each physical network, physnet:nic. It becomes a port of the bridge of a network.',
  },
  bridgeMappings: {
    group: 'linux_bridge',
    name: 'bridge_mappings',
    type: dict,
    default: {},
    help: 'The bridge that is there already and carries a physical network, physnet:bridge.',
  },
  enableVxlan: {
    group: 'vxlan',
    name: 'enable_vxlan',
    type: bool,
    default: true,
    help: 'Carry networks of projects in VXLAN tunnels between hosts.',
  },
  localIp: {
    group: 'vxlan',
    name: 'local_ip',
    type: text,
    default: '',
    help: "Address of this host's end of the tunnels.",
  },
  l2Population: {
    group: 'vxlan',
    name: 'l2_population',
    type: bool,
    default: false,
    help: 'The server tells who lives on which host; else broadcasts go to vxlan_group.',
  },
  vxlanGroup: {
    group: 'vxlan',
    name: 'vxlan_group',
    type: text,
    default: '224.0.0.1',
    help: 'Multicast group of broadcasts in tunnels.',
  },
  udpDstport: {
    group: 'vxlan',
    name: 'udp_dstport',
    type: optional(port),
    default: null,
    help: 'UDP port of the tunnels. Default: 8472, as the kernel has it.',
  },
  enableSecurityGroup: {
    group: 'securitygroup',
    name: 'enable_security_group',
    type: bool,
    default: true,
    help: 'Filter what guests of this host send and hear by their security groups. Forged MAC addresses and ARP are refused in any case.',
  },
  firewallDriver: {
    group: 'securitygroup',
    name: 'firewall_driver',
    type: optional(choice(...firewallDrivers)),
    default: null,
    help: 'What filters: iptables, or noop for nothing; iptables_hybrid is the same as iptables here. Default: iptables (OpenStack: noop).',
  },
  enableIpset: {
    group: 'securitygroup',
    name: 'enable_ipset',
    type: bool,
    default: true,
    help: 'Keep the members of security groups that rules name in sets; else each member has a rule of its own.',
  },
} as const

/** What the bridge agent takes. */
export const bridgeOptionsOf = (config: Config<typeof linuxbridgeAgentOptions>): BridgeOptions => ({
  physicalInterfaceMappings: config.physicalInterfaceMappings,
  bridgeMappings: config.bridgeMappings,
  vxlan: {
    enabled: config.enableVxlan,
    localIp: config.localIp,
    l2Population: config.l2Population,
    group: config.vxlanGroup,
    udpPort: config.udpDstport ?? 8472,
  },
  filter: {
    packets: config.enableSecurityGroup && !/noop/i.test(config.firewallDriver ?? ''),
    sets: config.enableIpset,
  },
})

const metadataProxySocket = {
  name: 'metadata_proxy_socket',
  type: text,
  default: '$state_path/metadata_proxy',
  help: 'Unix socket of the metadata agent.',
} as const

export const dhcpAgentOptions = {
  ...agentOptions,
  ...rootHelperOptions,
  interfaceDriver: {
    name: 'interface_driver',
    type: optional(choice('linuxbridge', 'neutron.agent.linux.interface.BridgeInterfaceDriver')),
    default: null,
    help: 'How the DHCP port gets into its network: linuxbridge.',
  },
  dhcpDriver: {
    name: 'dhcp_driver',
    type: choice('neutron.agent.linux.dhcp.Dnsmasq'),
    default: 'neutron.agent.linux.dhcp.Dnsmasq',
    help: 'What gives addresses: dnsmasq.',
  },
  enableIsolatedMetadata: {
    name: 'enable_isolated_metadata',
    type: bool,
    default: false,
    help: 'Guests on networks without a router reach the metadata service through the DHCP port.',
  },
  leaseSeconds: {
    name: 'dhcp_lease_duration',
    type: int({ min: -1 }),
    default: 86_400,
    help: 'Seconds that a lease lasts; -1: for ever.',
  },
  dnsServers: {
    name: 'dnsmasq_dns_servers',
    type: list(),
    default: [],
    help: "Name servers that dnsmasq asks about what is not the network's.",
  },
  localResolv: {
    name: 'dnsmasq_local_resolv',
    type: bool,
    default: false,
    help: "dnsmasq asks the host's own name servers.",
  },
  metadataProxySocket,
} as const

/** What the DHCP agent takes. */
export const dhcpOptionsOf = (config: Config<typeof dhcpAgentOptions>): DhcpOptions => ({
  stateDirectory: config.statePath,
  enableIsolatedMetadata: config.enableIsolatedMetadata,
  metadataProxySocket: config.metadataProxySocket,
  leaseSeconds: config.leaseSeconds,
  dnsServers: config.dnsServers,
  localResolv: config.localResolv,
})

export const metadataAgentOptions = {
  ...agentOptions,
  metadataProxySocket,
  novaMetadataHost: {
    name: 'nova_metadata_host',
    type: text,
    default: '127.0.0.1',
    help: "Host of nova's metadata service.",
    deprecated: ['nova_metadata_ip'],
  },
  novaMetadataPort: {
    name: 'nova_metadata_port',
    type: port,
    default: 8775,
    help: "Port of nova's metadata service.",
  },
  novaMetadataProtocol: {
    name: 'nova_metadata_protocol',
    type: choice('http', 'https'),
    default: 'http',
    help: "Protocol of nova's metadata service.",
  },
  metadataProxySharedSecret: {
    name: 'metadata_proxy_shared_secret',
    type: text,
    default: '',
    help: "What requests are signed with: the same as in nova.conf's [neutron].",
    secret: true,
  },
} as const

/** What the metadata agent takes. */
export const metadataOptionsOf = (config: Config<typeof metadataAgentOptions>) => ({
  metadataProxySocket: config.metadataProxySocket,
  metadataProxySharedSecret: config.metadataProxySharedSecret,
  novaMetadataHost: config.novaMetadataHost,
  novaMetadataPort: config.novaMetadataPort,
})

/** Where nova's metadata service is reached. */
export const metadataUrlOf = (config: Config<typeof metadataAgentOptions>): string =>
  `${config.novaMetadataProtocol}://${config.novaMetadataHost}:${config.novaMetadataPort}`
