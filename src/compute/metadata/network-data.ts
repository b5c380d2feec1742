/** `network_data.json`: links, networks and name servers, as cloud-init reads them. */
import type { NetworkInterface, Subnet } from '#network/client.ts'

interface Route {
  network: string
  netmask: string
  gateway: string
}

export interface NetworkData {
  links: unknown[]
  networks: unknown[]
  services: { type: 'dns'; address: string }[]
}

export function networkData(interfaces: readonly NetworkInterface[]): NetworkData {
  const data: NetworkData = { links: [], networks: [], services: [] }
  const resolvers = new Set<string>()
  for (const { port, network, subnets } of interfaces) {
    const link = `tap${port.id.slice(0, 11)}`
    data.links.push({
      id: link,
      vif_id: port.id,
      type: 'bridge',
      // With DHCP the guest learns the MTU from its lease.
      mtu: subnets.some((subnet) => subnet.enableDhcp) ? null : network.mtu,
      ethernet_mac_address: port.macAddress,
    })
    for (const subnet of subnets) {
      const ip = port.fixedIps.find((one) => one.subnetId === subnet.id)
      if (ip === undefined) continue
      const id = `network${data.networks.length}`
      data.networks.push(describe(id, link, network.id, subnet, ip.ipAddress))
      for (const address of subnet.dnsNameservers) resolvers.add(address)
    }
  }
  data.services = [...resolvers].map((address) => ({ type: 'dns', address }))
  return data
}

function describe(id: string, link: string, networkId: string, subnet: Subnet, address: string): unknown {
  const family = `ipv${subnet.ipVersion}`
  const mode = subnet.ipv6AddressMode
  if (mode === null && subnet.enableDhcp) return { id, type: `${family}_dhcp`, link, network_id: networkId }
  const routes: Route[] = []
  if (subnet.gatewayIp !== null) {
    const any = subnet.ipVersion === 4 ? '0.0.0.0' : '::'
    routes.push({ network: any, netmask: any, gateway: subnet.gatewayIp })
  }
  for (const { destination, nexthop } of subnet.hostRoutes) {
    routes.push({
      network: destination.split('/')[0] ?? '',
      netmask: netmaskOf(destination),
      gateway: nexthop,
    })
  }
  return {
    id,
    type: mode === null ? family : `${family}_${mode}`,
    link,
    ip_address: address,
    netmask: netmaskOf(subnet.cidr),
    routes,
    network_id: networkId,
    services: subnet.dnsNameservers.map((server) => ({ type: 'dns', address: server })),
  }
}

/** The netmask of a CIDR as an address: `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export function netmaskOf(cidr: string): string {
  const prefix = Number(cidr.split('/')[1])
  const group = (index: number, bits: number) => {
    const set = Math.max(0, Math.min(bits, prefix - index * bits))
    return 2 ** bits - 2 ** (bits - set)
  }
  if (!cidr.includes(':')) return [0, 1, 2, 3].map((index) => group(index, 8)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => group(index, 16).toString(16))
  const text = groups.join(':').replace(/(:0)+$/, '::')
  return prefix === 0 ? '::' : text
}
