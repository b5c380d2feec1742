/** Who gives IPv6 addresses on a subnet. */

interface Modes {
  ip_version: number
  ipv6_address_mode: string | null
  ipv6_ra_mode: string | null
}

const stateless = new Set<string | null>(['slaac', 'dhcpv6-stateless'])

/** True where hosts make their addresses themselves, from the prefix and their MAC. */
export function isAutoAddressed(subnet: Modes): boolean {
  if (subnet.ip_version !== 6) return false
  return (
    stateless.has(subnet.ipv6_address_mode) ||
    (subnet.ipv6_address_mode === null && stateless.has(subnet.ipv6_ra_mode))
  )
}
