/** The options of `neutron.conf` and `ml2_conf.ini`, as neutron documents them, with neutron's own defaults. */
import { bool, type Config, int, list, text } from '../../base/config/option.ts'
import type { NetworkOptions } from '../config.ts'

const ml2 = { group: 'ml2' } as const
const quota = (resource: string, standard: number) =>
  ({
    group: 'quotas',
    name: `quota_${resource}`,
    type: int({ min: -1 }),
    default: standard,
    help: `How many of "${resource}" a project may have; -1 for any number.`,
  }) as const

export const networkConfigOptions = {
  typeDrivers: {
    ...ml2,
    name: 'type_drivers',
    type: list(),
    default: ['local', 'flat', 'vlan', 'vxlan'],
    help: 'Types of network segments that there can be.',
  },
  tenantNetworkTypes: {
    ...ml2,
    name: 'tenant_network_types',
    type: list(),
    default: ['local'],
    help: 'Types that networks of projects get, the first that has a free segment. Empty: projects cannot make networks.',
  },
  mechanismDrivers: {
    ...ml2,
    name: 'mechanism_drivers',
    type: list(),
    default: [],
    help: 'Ways of wiring ports, asked in this order.',
  },
  extensionDrivers: {
    ...ml2,
    name: 'extension_drivers',
    type: list(),
    default: [],
    help: 'Further attributes of networks and ports: port_security, dns.',
  },
  pathMtu: {
    ...ml2,
    name: 'path_mtu',
    type: int({ min: 0 }),
    default: 0,
    help: 'Largest packet between hosts through which tunnels go; 0: as global_physnet_mtu.',
  },
  physicalNetworkMtus: {
    ...ml2,
    name: 'physical_network_mtus',
    type: list(),
    default: [],
    help: 'Largest packets of physical networks, physnet:mtu.',
  },
  flatNetworks: {
    group: 'ml2_type_flat',
    name: 'flat_networks',
    type: list(),
    default: ['*'],
    help: 'Physical networks that flat networks may use; * for any, empty for none.',
  },
  networkVlanRanges: {
    group: 'ml2_type_vlan',
    name: 'network_vlan_ranges',
    type: list(),
    default: [],
    help: 'VLANs that networks of projects get, physnet:first:last; physnet alone is for admins.',
  },
  vniRanges: {
    group: 'ml2_type_vxlan',
    name: 'vni_ranges',
    type: list(),
    default: [],
    help: 'VNIs that networks of projects get, first:last.',
  },
  globalPhysnetMtu: {
    name: 'global_physnet_mtu',
    type: int({ min: 68 }),
    default: 1500,
    help: 'Largest packet of the physical networks.',
    deprecated: ['ml2.segment_mtu'],
  },
  baseMac: {
    name: 'base_mac',
    type: text,
    default: 'fa:16:3e:00:00:00',
    help: 'MAC addresses begin with the first three octets, or four when the fourth is not 00.',
  },
  dnsDomain: {
    name: 'dns_domain',
    type: text,
    default: 'openstacklocal',
    help: 'Domain of the names of ports.',
  },
  maxAllowedAddressPair: {
    name: 'max_allowed_address_pair',
    type: int({ min: 0 }),
    default: 10,
    help: 'Most allowed address pairs of a port.',
  },
  maxDnsNameservers: {
    name: 'max_dns_nameservers',
    type: int({ min: 0 }),
    default: 5,
    help: 'Most nameservers of a subnet.',
  },
  maxSubnetHostRoutes: {
    name: 'max_subnet_host_routes',
    type: int({ min: 0 }),
    default: 20,
    help: 'Most host routes of a subnet.',
  },
  agentDownTimeSeconds: {
    name: 'agent_down_time',
    type: int({ min: 1 }),
    default: 75,
    help: 'An agent that was not heard of for so many seconds is dead.',
  },
  dhcpAgentsPerNetwork: {
    name: 'dhcp_agents_per_network',
    type: int({ min: 1 }),
    default: 1,
    help: 'How many DHCP agents serve a network.',
  },
  networkAutoSchedule: {
    name: 'network_auto_schedule',
    type: bool,
    default: true,
    help: 'Give networks to DHCP agents without being asked.',
  },
  allowAutomaticDhcpFailover: {
    name: 'allow_automatic_dhcp_failover',
    type: bool,
    default: true,
    help: 'Give the networks of a DHCP agent that died to others.',
  },
  defaultAvailabilityZones: {
    name: 'default_availability_zones',
    type: list(),
    default: [],
    help: 'Availability zones of networks that name none.',
  },
  paginationMaxLimit: {
    name: 'pagination_max_limit',
    type: text,
    default: '-1',
    help: 'Most items of one answer; -1 or infinite for any number.',
  },
  allowBulk: { name: 'allow_bulk', type: bool, default: true, help: 'Let one request make several things.' },
  filterValidation: {
    name: 'filter_validation',
    type: bool,
    default: true,
    help: 'Refuse filters that no resource has.',
  },
  notifyNovaOnPortStatusChanges: {
    name: 'notify_nova_on_port_status_changes',
    type: bool,
    default: true,
    help: 'Tell compute when a port is wired or no longer is; without it servers wait in vain for their ports.',
  },
  notifyNovaOnPortDataChanges: {
    name: 'notify_nova_on_port_data_changes',
    type: bool,
    default: true,
    help: 'Tell compute when the addresses of a port change.',
  },
  defaultQuota: {
    group: 'quotas',
    name: 'default_quota',
    type: int({ min: -1 }),
    default: -1,
    help: 'Limit of what has none of its own; -1 for any number.',
  },
  quotaNetwork: quota('network', 100),
  quotaSubnet: quota('subnet', 100),
  quotaPort: quota('port', 500),
  quotaRbacPolicy: quota('rbac_policy', 10),
  quotaSecurityGroup: quota('security_group', 10),
  quotaSecurityGroupRule: quota('security_group_rule', 100),
  enableSecurityGroup: {
    group: 'securitygroup',
    name: 'enable_security_group',
    type: bool,
    default: true,
    help: 'Have security groups.',
  },
} as const

/** What the service takes, from what the files say. */
export function networkOptionsOf(config: Config<typeof networkConfigOptions>): NetworkOptions {
  const { quotaNetwork, quotaSubnet, quotaPort, quotaRbacPolicy, ...rest } = config
  const { quotaSecurityGroup, quotaSecurityGroupRule, paginationMaxLimit, ...options } = rest
  const limit = Number(paginationMaxLimit)
  return {
    ...options,
    paginationMaxLimit: Number.isInteger(limit) ? limit : -1,
    quotas: {
      network: quotaNetwork,
      subnet: quotaSubnet,
      port: quotaPort,
      subnetpool: -1,
      rbac_policy: quotaRbacPolicy,
      security_group: quotaSecurityGroup,
      security_group_rule: quotaSecurityGroupRule,
    },
  }
}
