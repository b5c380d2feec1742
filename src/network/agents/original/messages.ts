/** What OpenStack's own neutron-server answers its agents, and the topics on which it wakes them. */
import type { Bus } from '../../../base/bus/bus.ts'
import { serverTopic } from '../../rpc/agents.ts'

/** A port as the API shows it. */
export interface ApiPort {
  id: string
  network_id: string
  project_id: string
  mac_address: string
  device_owner: string
  device_id: string
  admin_state_up: boolean
  port_security_enabled?: boolean
  fixed_ips: { subnet_id: string; ip_address: string }[]
  allowed_address_pairs?: { ip_address: string; mac_address: string }[]
  security_groups: string[]
  status: string
  dns_name?: string
  extra_dhcp_opts?: { opt_name: string; opt_value: string | null; ip_version: number }[]
  'binding:vif_type'?: string
}

export interface ApiNetwork {
  id: string
  mtu: number
  admin_state_up: boolean
  'provider:network_type': string
  'provider:physical_network': string | null
  'provider:segmentation_id': number | null
}

export interface ApiSubnet {
  id: string
  cidr: string
  ip_version: number
  gateway_ip: string | null
  enable_dhcp: boolean
  dns_nameservers: string[]
  host_routes: { destination: string; nexthop: string }[]
  ipv6_ra_mode: string | null
  ipv6_address_mode: string | null
}

/** Of `get_active_networks_info` and `get_network_info`. */
export interface ServedNetwork {
  id: string
  project_id: string
  mtu: number
  subnets: ApiSubnet[]
  ports: ApiPort[]
}

export type Ask = <T>(method: string, args: Record<string, unknown>) => Promise<T>

/** Agents act as administrators there. */
export const asker =
  (bus: Bus): Ask =>
  (method, args) =>
    bus.call({ topic: serverTopic, context: { is_admin: true } }, method, args)

/** Versions of the objects whose changes the server tells L2 agents that report them: Zed's. */
export const resourceVersions = { Port: '1.7', SecurityGroup: '1.5', SecurityGroupRule: '1.2' } as const

/** Where an L2 agent hears of changes: topics, and the methods that are called on them. */
export const l2Wakes: Readonly<Record<string, readonly string[]>> = {
  'q-agent-notifier-port-update': ['port_update'],
  'q-agent-notifier-port-delete': ['port_delete'],
  'q-agent-notifier-network-update': ['network_update'],
  ...Object.fromEntries(
    Object.entries(resourceVersions).map(([type, version]) => [`neutron-vo-${type}-${version}`, ['push']]),
  ),
}

/** The same for DHCP agents, which hear of them on the topic that they serve anyway. */
export const dhcpWakes: readonly string[] = [
  'agent_updated',
  ...['network', 'subnet', 'port'].flatMap((thing) =>
    ['create', 'update', 'delete'].map((change) => `${thing}_${change}_end`),
  ),
]
