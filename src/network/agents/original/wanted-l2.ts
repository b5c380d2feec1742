/** What an original neutron-server wants of a host's L2 agent, asked for as a whole. */
import type { FixedIp, Member, WantedGroup, WantedL2, WantedNetwork, WantedPort } from '../../rpc/agents.ts'
import type { SecurityGroupRule } from '../../rpc/rules.ts'
import type { ApiNetwork, ApiPort, Ask } from './messages.ts'

type Ethertype = 'IPv4' | 'IPv6'

/** Of `security_group_info_for_devices`: values that are missing stand for any. */
interface ApiRule {
  direction: 'ingress' | 'egress'
  ethertype: Ethertype
  stateful?: boolean
  protocol?: string
  port_range_min?: number
  port_range_max?: number
  /** Of an ingress rule; `dest_ip_prefix` of an egress rule. */
  source_ip_prefix?: string
  dest_ip_prefix?: string
  remote_group_id?: string
  remote_address_group_id?: string
}

interface GroupInfo {
  security_groups: Record<string, ApiRule[]>
  /** Members of remote groups, and of address groups: address and MAC address. */
  sg_member_ips: Record<string, Partial<Record<Ethertype, [address: string, macAddress: string | null][]>>>
}

const noGroups: GroupInfo = { security_groups: {}, sg_member_ips: {} }

export async function wantedL2(ask: Ask, host: string): Promise<WantedL2> {
  const found = await ask<ApiPort[]>('get_ports', { filters: { 'binding:host_id': [host] } })
  const bound = found.filter((port) => port['binding:vif_type'] === 'bridge')
  const ids = bound.map((port) => port.id)
  const networkIds = [...new Set(bound.map((port) => port.network_id))]
  const [networks, info] =
    ids.length === 0
      ? [[], noGroups]
      : await Promise.all([
          ask<ApiNetwork[]>('get_networks', { filters: { id: networkIds } }),
          ask<GroupInfo>('security_group_info_for_devices', { devices: ids, call_version: '1.3' }),
        ])
  const groups = Object.entries(info.security_groups)
  return {
    revision: '0',
    whole: true,
    networks: networks.map(viewNetwork),
    ports: bound.map(viewPort),
    gonePorts: [],
    securityGroups: Object.fromEntries(groups.map(([id, rules]) => [id, viewGroup(id, rules, info)])),
    members: membersOf(info),
    remotePorts: [],
  }
}

const viewNetwork = (network: ApiNetwork): WantedNetwork => ({
  id: network.id,
  networkType: network['provider:network_type'] as WantedNetwork['networkType'],
  physicalNetwork: network['provider:physical_network'],
  segmentationId: network['provider:segmentation_id'],
  mtu: network.mtu,
  adminStateUp: network.admin_state_up,
})

const viewPort = (port: ApiPort): WantedPort => ({
  id: port.id,
  networkId: port.network_id,
  macAddress: port.mac_address,
  deviceOwner: port.device_owner,
  deviceId: port.device_id,
  adminStateUp: port.admin_state_up,
  portSecurityEnabled: port.port_security_enabled ?? true,
  fixedIps: port.fixed_ips.map(hostAddress),
  allowedAddressPairs: (port.allowed_address_pairs ?? []).map((pair) => ({
    ipAddress: pair.ip_address,
    macAddress: pair.mac_address,
  })),
  securityGroupIds: port.security_groups,
  status: port.status,
})

// A filter is about the address alone; the server does not say the length of its subnet's prefix here.
const hostAddress = (ip: ApiPort['fixed_ips'][number]): FixedIp => ({
  subnetId: ip.subnet_id,
  ipAddress: ip.ip_address,
  prefixLength: ip.ip_address.includes(':') ? 128 : 32,
})

function viewGroup(id: string, rules: readonly ApiRule[], info: GroupInfo): WantedGroup {
  return {
    stateful: rules.every((rule) => rule.stateful !== false),
    rules: rules
      .flatMap((rule) => prefixesOf(rule, info).map((prefix) => ({ rule, prefix })))
      .map(({ rule, prefix }, index) => viewRule(`${id}-${index}`, rule, prefix)),
  }
}

/** An address group is as many rules as it has addresses. */
function prefixesOf(rule: ApiRule, info: GroupInfo): (string | null)[] {
  const group = rule.remote_address_group_id
  if (group === undefined) return [rule.source_ip_prefix ?? rule.dest_ip_prefix ?? null]
  return (info.sg_member_ips[group]?.[rule.ethertype] ?? []).map(([address]) => address)
}

const viewRule = (id: string, rule: ApiRule, prefix: string | null): SecurityGroupRule => ({
  id,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol ?? null,
  portRangeMin: rule.port_range_min ?? null,
  portRangeMax: rule.port_range_max ?? null,
  remoteIpPrefix: prefix,
  remoteGroupId: rule.remote_group_id ?? null,
})

/** The server names no ports of members; their MAC addresses tell them apart. */
function membersOf(info: GroupInfo): Member[] {
  const groupIds = new Set(
    Object.values(info.security_groups).flatMap((rules) =>
      rules.flatMap((rule) => rule.remote_group_id ?? []),
    ),
  )
  return [...groupIds].flatMap((groupId) => {
    const addresses = Object.values(info.sg_member_ips[groupId] ?? {}).flat()
    const byPort = Map.groupBy(addresses, ([address, macAddress]) => macAddress ?? address)
    return [...byPort].map(([portId, own]) => ({
      groupId,
      portId,
      addresses: own.map(([address]) => asCidr(address)),
    }))
  })
}

const asCidr = (address: string): string =>
  address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}`
