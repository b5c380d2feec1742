/** What makes a subnet's settings fit each other. */
import type { NetworkOptions } from '../config.ts'
import { invalid, invalidInput } from '../errors.ts'
import { type Cidr, formatCidr, parseCidr, parseIp } from './ip.ts'

export interface SubnetSettings {
  /** Absent for a subnet that is not there yet. */
  id?: string
  ipVersion: number
  cidr: Cidr
  gatewayIp: string | null | undefined
  enableDhcp: boolean
  /** True when DHCP was off until now. */
  dhcpIsNew: boolean
  ipv6RaMode: string | null
  ipv6AddressMode: string | null
  dnsNameservers: readonly string[]
  hostRoutes: readonly { destination: string; nexthop: string }[]
}

/** Throws neutron's reason when they don't. */
export function validateSubnet(subnet: SubnetSettings, options: NetworkOptions): void {
  assertVersion(subnet.ipVersion, formatCidr(subnet.cidr), 'cidr')
  if (subnet.cidr.prefixLength === 0) throw invalidInput('0 is not allowed as CIDR prefix length')
  if (subnet.enableDhcp && subnet.dhcpIsNew) assertFitForDhcp(subnet.cidr)
  if (typeof subnet.gatewayIp === 'string') assertGateway(subnet, subnet.gatewayIp)
  if (subnet.dnsNameservers.length > options.maxDnsNameservers) {
    throw invalid(
      'DNSNameServersExhausted',
      `Unable to complete operation for ${subnet.id ?? 'new subnet'}. The number of DNS nameservers exceeds the limit ${options.maxDnsNameservers}.`,
    )
  }
  for (const server of subnet.dnsNameservers) assertVersion(subnet.ipVersion, server, 'dns_nameserver')
  if (subnet.hostRoutes.length > options.maxSubnetHostRoutes) {
    throw invalid(
      'HostRoutesExhausted',
      `Unable to complete operation for ${subnet.id ?? 'new subnet'}. The number of host routes exceeds the limit ${options.maxSubnetHostRoutes}.`,
    )
  }
  for (const route of subnet.hostRoutes) {
    assertVersion(subnet.ipVersion, route.nexthop, 'nexthop')
    assertVersion(subnet.ipVersion, route.destination, 'destination')
  }
  assertIpv6Modes(subnet)
}

function assertVersion(version: number, address: string, name: string): void {
  if (parseCidr(address)?.version === version) return
  throw invalidInput(`${name} '${address}' does not match the ip_version '${version}'`)
}

function assertFitForDhcp(cidr: Cidr): void {
  if (cidr.prefixLength > (cidr.version === 4 ? 30 : 126))
    throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled')
  const top = cidr.version === 4 ? cidr.first >> 24n : cidr.first >> 120n
  const multicast = cidr.version === 4 ? top >= 224n && top < 240n : top === 255n
  if (multicast) throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True')
  const loopback = cidr.version === 4 ? top === 127n : cidr.first === 1n
  if (loopback) throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True')
  if (cidr.version === 4 && cidr.first === 0n)
    throw invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.")
}

function assertGateway(subnet: SubnetSettings, gatewayIp: string): void {
  assertVersion(subnet.ipVersion, gatewayIp, 'gateway_ip')
  const { value } = parseIp(gatewayIp)!
  const { cidr } = subnet
  // A gateway outside of the subnet is fine; an IPv6 subnet has no address that can't be one.
  if (cidr.version === 4 && cidr.prefixLength < 31 && (value === cidr.first || value === cidr.last))
    throw invalidInput('Gateway is not valid on subnet')
}

function assertIpv6Modes(subnet: SubnetSettings): void {
  const { ipv6RaMode: ra, ipv6AddressMode: address } = subnet
  if (ra === null && address === null) return
  if (subnet.ipVersion === 4) {
    const name = ra === null ? 'ipv6_address_mode' : 'ipv6_ra_mode'
    throw invalidInput(`${name} is not valid when ip_version is 4`)
  }
  if (!subnet.enableDhcp)
    throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  if (ra !== null && address !== null && ra !== address) {
    throw invalidInput(
      `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${address}' is not valid. If both attributes are set, they must be the same value`,
    )
  }
  const automatic = [ra, address].some((mode) => mode === 'slaac' || mode === 'dhcpv6-stateless')
  if (automatic && subnet.cidr.prefixLength !== 64) {
    throw invalidInput(
      `Invalid CIDR ${formatCidr(subnet.cidr)} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    )
  }
}

/** The gateway of a subnet that names none: its first host. */
export const defaultGateway = (cidr: Cidr): bigint =>
  cidr.first === cidr.last || (cidr.version === 4 && cidr.prefixLength === 31) ? cidr.first : cidr.first + 1n
