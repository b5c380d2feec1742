/** A network as the DHCP agent serves it. */
import ipaddr from 'ipaddr.js'
import type { DhcpClient, WantedDhcpNetwork, WantedSubnet } from '../../rpc/agents.ts'

export interface ServedNetwork extends Omit<WantedDhcpNetwork, 'ports' | 'dhcpPort'> {
  dhcpPort: NonNullable<WantedDhcpNetwork['dhcpPort']>
  /** By id. */
  ports: ReadonlyMap<string, DhcpClient>
}

export const subnetTag = (id: string): string => `subnet-${id}`
export const portTag = (id: string): string => `port-${id}`

/** Device owners that never ask for a lease. */
const withoutLease = [
  'network:dhcp',
  'network:floatingip',
  'network:router_ha_interface',
  'network:distributed',
]
export const mayAsk = (port: { deviceOwner: string }): boolean => !withoutLease.includes(port.deviceOwner)

/** Subnets whose addresses dnsmasq gives; IPv6 guests may make their own instead (SLAAC). */
export const servedSubnets = (network: Pick<WantedDhcpNetwork, 'subnets'>): WantedSubnet[] =>
  network.subnets.filter((subnet) => subnet.enableDhcp && givesAddresses(subnet))

function givesAddresses(subnet: WantedSubnet): boolean {
  if (subnet.ipVersion === 4) return true
  const mode = subnet.ipv6AddressMode
  return (
    mode === 'dhcpv6-stateful' || mode === 'dhcpv6-stateless' || (mode === null && subnet.ipv6RaMode === null)
  )
}

export const isStateless = (subnet: WantedSubnet): boolean => subnet.ipv6AddressMode === 'dhcpv6-stateless'

/** True when no router of the cloud stands at the subnet's gateway, so that metadata must come another way. */
export function isIsolated(network: ServedNetwork, subnet: WantedSubnet): boolean {
  return !network.ports
    .values()
    .some(
      (port) =>
        port.deviceOwner.startsWith('network:router_interface') &&
        port.fixedIps.some((ip) => ip.subnetId === subnet.id && ip.ipAddress === subnet.gatewayIp),
    )
}

/** Whether the DHCP port also answers for the metadata service. */
export const servesMetadata = (network: ServedNetwork, enabled: boolean): boolean =>
  enabled && network.subnets.some((subnet) => subnet.ipVersion === 4 && isIsolated(network, subnet))

export const netmask = (cidr: string): string =>
  ipaddr.IPv4.subnetMaskFromPrefixLength(Number(cidr.split('/')[1])).toString()
