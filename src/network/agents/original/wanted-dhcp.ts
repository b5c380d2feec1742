/** The networks whose DHCP an original neutron-server wants of a host, asked for as a whole; and the agent's own ports. */
import { Fault } from '../../../base/errors.ts'
import type { DhcpClient, FixedIp, WantedDhcp, WantedDhcpNetwork, WantedSubnet } from '../../rpc/agents.ts'
import { dhcpDeviceId } from '../../rpc/dhcp-device-id.ts'
import type { ApiPort, ApiSubnet, Ask, ServedNetwork } from './messages.ts'

type DhcpPort = NonNullable<WantedDhcpNetwork['dhcpPort']>

const ownPorts = 'network:dhcp'

/** The server does not say it: its agents have it in their own files, with this as default. */
const dnsDomain = 'openstacklocal'

export async function wantedDhcp(ask: Ask, host: string): Promise<WantedDhcp> {
  const served = await ask<ServedNetwork[]>('get_active_networks_info', { host, enable_dhcp_filter: false })
  return {
    revision: '0',
    whole: true,
    networks: served.map((network) => viewNetwork(network, host)),
    goneNetworks: [],
    ports: [],
    gonePorts: [],
  }
}

/** Makes the agent's port on a network, or gives it the addresses that it lacks. */
export async function ensureDhcpPort(ask: Ask, host: string, networkId: string): Promise<DhcpPort> {
  const args = { network_id: networkId, host, enable_dhcp: null }
  const network = await ask<ServedNetwork | null>('get_network_info', args)
  if (network === null) throw new Fault('not-found', `Network ${networkId} could not be found.`)
  const deviceId = dhcpDeviceId(host, networkId)
  const own = network.ports.find((port) => port.device_id === deviceId)
  const lacking = lackingSubnets(network.subnets, own)
  if (own !== undefined && lacking.length === 0) return viewDhcpPort(own, network.subnets)
  const wanted = lacking.map((subnet) => ({ subnet_id: subnet.id }))
  const port = await (own === undefined
    ? ask<ApiPort | null>('create_dhcp_port', {
        host,
        port: {
          port: {
            name: '',
            admin_state_up: true,
            network_id: networkId,
            tenant_id: network.project_id,
            device_id: deviceId,
            fixed_ips: wanted,
          },
        },
      })
    : ask<ApiPort | null>('update_dhcp_port', {
        host,
        port_id: own.id,
        port: { port: { network_id: networkId, fixed_ips: [...own.fixed_ips, ...wanted] } },
      }))
  if (port === null) {
    throw new Fault(
      'unavailable',
      `neutron-server gave DHCP no port on network ${networkId}: its log says why.`,
    )
  }
  return viewDhcpPort(port, network.subnets)
}

function lackingSubnets(subnets: readonly ApiSubnet[], port: ApiPort | undefined): ApiSubnet[] {
  const served = new Set(port?.fixed_ips.map((ip) => ip.subnet_id))
  return subnets.filter((subnet) => subnet.enable_dhcp && !served.has(subnet.id))
}

function viewNetwork(network: ServedNetwork, host: string): WantedDhcpNetwork {
  const { subnets, ports } = network
  const deviceId = dhcpDeviceId(host, network.id)
  const own = ports.find((port) => port.device_id === deviceId)
  // One without an address on a subnet that wants DHCP is as good as none: the agent asks for it again.
  const isFit = own !== undefined && lackingSubnets(subnets, own).length === 0
  return {
    id: network.id,
    mtu: network.mtu,
    dnsDomain,
    subnets: subnets.map(viewSubnet),
    dhcpPort: isFit ? viewDhcpPort(own, subnets) : null,
    ports: ports.filter((port) => port.device_owner !== ownPorts).map((port) => viewClient(port, subnets)),
  }
}

const viewSubnet = (subnet: ApiSubnet): WantedSubnet => ({
  id: subnet.id,
  cidr: subnet.cidr,
  ipVersion: subnet.ip_version === 6 ? 6 : 4,
  gatewayIp: subnet.gateway_ip,
  enableDhcp: subnet.enable_dhcp,
  dnsNameservers: subnet.dns_nameservers,
  hostRoutes: subnet.host_routes,
  ipv6RaMode: subnet.ipv6_ra_mode,
  ipv6AddressMode: subnet.ipv6_address_mode,
})

const viewDhcpPort = (port: ApiPort, subnets: readonly ApiSubnet[]): DhcpPort => ({
  id: port.id,
  macAddress: port.mac_address,
  fixedIps: addressesOf(port, subnets),
})

const viewClient = (port: ApiPort, subnets: readonly ApiSubnet[]): DhcpClient => ({
  id: port.id,
  macAddress: port.mac_address,
  deviceOwner: port.device_owner,
  dnsName: port.dns_name ?? '',
  fixedIps: addressesOf(port, subnets),
  extraDhcpOptions: (port.extra_dhcp_opts ?? []).map((option) => ({
    name: option.opt_name,
    value: option.opt_value,
    ipVersion: option.ip_version === 6 ? 6 : 4,
  })),
})

const addressesOf = (port: ApiPort, subnets: readonly ApiSubnet[]): FixedIp[] =>
  port.fixed_ips.flatMap((ip) => {
    const cidr = subnets.find((subnet) => subnet.id === ip.subnet_id)?.cidr
    if (cidr === undefined) return []
    return [{ subnetId: ip.subnet_id, ipAddress: ip.ip_address, prefixLength: Number(cidr.split('/')[1]) }]
  })
