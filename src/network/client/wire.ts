/** Between the JSON of Network's API and what its client gives. */
import type {
  Network,
  NewPort,
  NewSecurityGroupRule,
  Port,
  PortUpdate,
  SecurityGroup,
  Subnet,
} from './types.ts'

type Wire = Record<string, unknown>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const orNull = <T>(value: unknown): T | null => (value === undefined ? null : (value as T | null))

export const readNetwork = (wire: Wire): Network => ({
  id: text(wire['id']),
  name: text(wire['name']),
  projectId: text(wire['project_id']),
  adminStateUp: wire['admin_state_up'] !== false,
  status: text(wire['status']),
  shared: wire['shared'] === true,
  external: wire['router:external'] === true,
  mtu: typeof wire['mtu'] === 'number' ? wire['mtu'] : 1500,
  portSecurityEnabled: wire['port_security_enabled'] !== false,
  subnetIds: (wire['subnets'] ?? []) as string[],
  dnsDomain: text(wire['dns_domain']),
  physicalNetwork: orNull(wire['provider:physical_network']),
  networkType: orNull(wire['provider:network_type']),
  segmentationId: orNull(wire['provider:segmentation_id']),
})

export const readSubnet = (wire: Wire): Subnet => ({
  id: text(wire['id']),
  name: text(wire['name']),
  networkId: text(wire['network_id']),
  projectId: text(wire['project_id']),
  ipVersion: wire['ip_version'] === 6 ? 6 : 4,
  cidr: text(wire['cidr']),
  gatewayIp: orNull(wire['gateway_ip']),
  enableDhcp: wire['enable_dhcp'] !== false,
  dnsNameservers: (wire['dns_nameservers'] ?? []) as string[],
  hostRoutes: (wire['host_routes'] ?? []) as Subnet['hostRoutes'],
  ipv6AddressMode: orNull(wire['ipv6_address_mode']),
  ipv6RaMode: orNull(wire['ipv6_ra_mode']),
})

export const readPort = (wire: Wire): Port => ({
  id: text(wire['id']),
  name: text(wire['name']),
  projectId: text(wire['project_id']),
  networkId: text(wire['network_id']),
  macAddress: text(wire['mac_address']),
  status: text(wire['status']),
  adminStateUp: wire['admin_state_up'] !== false,
  deviceId: text(wire['device_id']),
  deviceOwner: text(wire['device_owner']),
  fixedIps: ((wire['fixed_ips'] ?? []) as Wire[]).map((ip) => ({
    subnetId: text(ip['subnet_id']),
    ipAddress: text(ip['ip_address']),
  })),
  securityGroupIds: (wire['security_groups'] ?? []) as string[],
  portSecurityEnabled: wire['port_security_enabled'] !== false,
  dnsName: text(wire['dns_name']),
  host: orNull(wire['binding:host_id']),
  vnicType: text(wire['binding:vnic_type']) || 'normal',
  vifType: orNull(wire['binding:vif_type']),
  vifDetails: (wire['binding:vif_details'] ?? {}) as Record<string, unknown>,
  profile: (wire['binding:profile'] ?? {}) as Record<string, unknown>,
})

export const readSecurityGroup = (wire: Wire): SecurityGroup => ({
  id: text(wire['id']),
  name: text(wire['name']),
  description: text(wire['description']),
  projectId: text(wire['project_id']),
  stateful: wire['stateful'] !== false,
  rules: ((wire['security_group_rules'] ?? []) as Wire[]).map(readRule),
})

export const readRule = (rule: Wire): SecurityGroup['rules'][number] => ({
  id: text(rule['id']),
  direction: rule['direction'] === 'egress' ? 'egress' : 'ingress',
  ethertype: text(rule['ethertype']),
  protocol: orNull(rule['protocol']),
  portRangeMin: orNull(rule['port_range_min']),
  portRangeMax: orNull(rule['port_range_max']),
  remoteIpPrefix: orNull(rule['remote_ip_prefix']),
  remoteGroupId: orNull(rule['remote_group_id']),
})

export const writeRule = (rule: NewSecurityGroupRule): Wire => ({
  security_group_id: rule.securityGroupId,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol,
  port_range_min: rule.portRangeMin,
  port_range_max: rule.portRangeMax,
  remote_ip_prefix: rule.remoteIpPrefix,
  remote_group_id: rule.remoteGroupId,
})

/** The body of a port update: what is absent stays as it is. */
export function writePortUpdate(port: PortUpdate): Wire {
  const wire: Wire = {
    name: port.name,
    admin_state_up: port.adminStateUp,
    device_id: port.deviceId,
    device_owner: port.deviceOwner,
    mac_address: port.macAddress,
    security_groups: port.securityGroupIds,
    port_security_enabled: port.portSecurityEnabled,
    dns_name: port.dnsName,
    'binding:host_id': port.host,
    'binding:profile': port.profile,
    fixed_ips: port.fixedIps?.map((ip) => {
      const fixed: Wire = {}
      if (ip.subnetId !== undefined) fixed['subnet_id'] = ip.subnetId
      if (ip.ipAddress !== undefined) fixed['ip_address'] = ip.ipAddress
      return fixed
    }),
  }
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined))
}

/** The body of a new port. */
export function writePort(port: NewPort): Wire {
  const wire = writePortUpdate(port)
  wire['network_id'] = port.networkId
  if (port.projectId !== undefined) wire['project_id'] = port.projectId
  return wire
}
