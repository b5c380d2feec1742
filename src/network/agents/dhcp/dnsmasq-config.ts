/** What dnsmasq must know of a network: its command line and its files, as text. */
import { dnsmasqArgs } from '../../../linux/dnsmasq.ts'
import type { WantedSubnet } from '../../rpc/agents.ts'
import { namespaceDeviceName } from '../names.ts'
import {
  isIsolated,
  isStateless,
  mayAsk,
  netmask,
  portTag,
  type ServedNetwork,
  servedSubnets,
  subnetTag,
} from './network.ts'
import { type DhcpOptions, metadataAddress } from './options.ts'

type ServedPort = ServedNetwork['ports'][number]

export interface DnsmasqConfig {
  args: string[]
  hosts: string
  addnHosts: string
  options: string
}

export function dnsmasqConfig(
  network: ServedNetwork,
  options: DhcpOptions,
  where: { directory: string; asRoot: boolean },
): DnsmasqConfig {
  const subnets = servedSubnets(network)
  return {
    args: dnsmasqArgs({
      ...where,
      interface: namespaceDeviceName(network.dhcpPort.id),
      ranges: subnets.map((subnet) => ({
        tag: subnetTag(subnet.id),
        network: subnet.cidr.split('/')[0]!,
        mask: subnet.ipVersion === 4 ? netmask(subnet.cidr) : subnet.cidr.split('/')[1]!,
      })),
      leaseSeconds: options.leaseSeconds,
      maxLeases: maxLeases(subnets),
      mtu: network.mtu,
      domain: network.dnsDomain.replace(/\.$/, ''),
      dnsServers: options.dnsServers,
      localResolv: options.localResolv,
    }),
    hosts: hostsFile(network),
    addnHosts: addnHostsFile(network),
    options: optionsFile(network, options),
  }
}

/** As many as there are addresses, within what dnsmasq can keep. */
function maxLeases(subnets: readonly WantedSubnet[]): number {
  const sizes = subnets.map((subnet) => {
    const bits = (subnet.ipVersion === 4 ? 32 : 128) - Number(subnet.cidr.split('/')[1])
    return 2 ** Math.min(bits, 24)
  })
  return Math.min(
    sizes.reduce((sum, size) => sum + size, 0),
    2 ** 24,
  )
}

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('')

const hostName = (port: ServedPort, address: string): string =>
  port.dnsName || `host-${address.replaceAll(/[.:]/g, '-')}`

const fullName = (network: ServedNetwork, name: string): string =>
  network.dnsDomain === '' ? name : `${name}.${network.dnsDomain.replace(/\.$/, '')}`

/** The names of the options that are the client's own id, which stands in the hosts file instead. */
const clientIdOptions = ['client-id', '61']

const clientId = (port: ServedPort): string | undefined =>
  port.extraDhcpOptions.find((option) => clientIdOptions.includes(option.name))?.value ?? undefined

/** `mac,name,address` for each address that may be asked for. */
function hostsFile(network: ServedNetwork): string {
  const subnets = new Map(servedSubnets(network).map((subnet) => [subnet.id, subnet]))
  const stateless: string[] = []
  const rest: string[] = []
  for (const port of network.ports.filter(mayAsk)) {
    const tagged = port.extraDhcpOptions.length > 0 ? [`set:${portTag(port.id)}`] : []
    const id = clientId(port)
    for (const ip of port.fixedIps) {
      const subnet = subnets.get(ip.subnetId)
      if (subnet === undefined) continue
      if (isStateless(subnet)) {
        // dnsmasq reads from the end: an entry without an address must not hide the one with it.
        if (tagged.length > 0) stateless.push([port.macAddress, ...tagged].join(','))
        continue
      }
      const address = subnet.ipVersion === 6 ? `[${ip.ipAddress}]` : ip.ipAddress
      const name = fullName(network, hostName(port, ip.ipAddress))
      const idWord = id === undefined ? [] : [`id:${id}`]
      rest.push([port.macAddress, ...idWord, name, address, ...tagged].join(','))
    }
  }
  return lines([...stateless.sort(), ...rest.sort()])
}

/** Names of everybody on the network, whether or not they took a lease here. */
function addnHostsFile(network: ServedNetwork): string {
  const entries = network.ports.flatMap((port) =>
    port.fixedIps.map((ip) => {
      const name = hostName(port, ip.ipAddress)
      return `${ip.ipAddress}\t${fullName(network, name)} ${name}`
    }),
  )
  return lines(entries.sort())
}

function optionsFile(network: ServedNetwork, options: DhcpOptions): string {
  return lines([
    ...network.subnets
      .filter((subnet) => subnet.enableDhcp && subnet.ipv6AddressMode !== 'slaac')
      .flatMap((subnet) =>
        subnet.ipVersion === 4 ? options4(network, subnet, options) : options6(network, subnet),
      ),
    ...network.ports.flatMap(portOptions),
  ])
}

function options4(network: ServedNetwork, subnet: WantedSubnet, options: DhcpOptions): string[] {
  const tag = `tag:${subnetTag(subnet.id)}`
  const gateway =
    subnet.gatewayIp ?? subnet.hostRoutes.find((route) => route.destination === '0.0.0.0/0')?.nexthop
  const routes = [
    // The network's other subnets are on the same wire.
    ...network.subnets
      .filter((other) => other.ipVersion === 4 && other.id !== subnet.id)
      .map((other) => `${other.cidr},0.0.0.0`),
    ...subnet.hostRoutes
      .filter((route) => route.destination !== '0.0.0.0/0')
      .map((route) => `${route.destination},${route.nexthop}`),
    ...metadataRoute(network, subnet, options),
  ]
  // Who reads classless routes ignores the router option, so the default route is among them.
  if (routes.length > 0 && gateway !== undefined) routes.push(`0.0.0.0/0,${gateway}`)
  return [
    ...dnsOption(subnet).map((servers) => `${tag},option:dns-server${servers}`),
    ...(routes.length === 0
      ? []
      : [
          `${tag},option:classless-static-route,${routes.join(',')}`,
          // The same for clients that know it by Microsoft's number only.
          `${tag},249,${routes.join(',')}`,
        ]),
    gateway === undefined ? `${tag},option:router` : `${tag},option:router,${gateway}`,
  ]
}

function metadataRoute(network: ServedNetwork, subnet: WantedSubnet, options: DhcpOptions): string[] {
  if (!isIsolated(network, subnet))
    return subnet.gatewayIp === null ? [] : [`${metadataAddress}/32,${subnet.gatewayIp}`]
  const own = network.dhcpPort.fixedIps.find((ip) => ip.subnetId === subnet.id)
  return options.enableIsolatedMetadata && own !== undefined ? [`${metadataAddress}/32,${own.ipAddress}`] : []
}

function options6(network: ServedNetwork, subnet: WantedSubnet): string[] {
  const tag = `tag:${subnetTag(subnet.id)}`
  return [
    ...dnsOption(subnet).map((servers) => `${tag},option6:dns-server${servers}`),
    ...(network.dnsDomain === ''
      ? []
      : [`${tag},option6:domain-search,${network.dnsDomain.replace(/\.$/, '')}`]),
  ]
}

/** Without name servers of its own a subnet's clients ask dnsmasq; 0.0.0.0 or :: means that they get none. */
function dnsOption(subnet: WantedSubnet): string[] {
  const servers = subnet.dnsNameservers
  if (servers.length === 0) return []
  if (servers.some((server) => server === '0.0.0.0' || server === '::')) return ['']
  return [`,${servers.map((server) => (subnet.ipVersion === 6 ? `[${server}]` : server)).join(',')}`]
}

function portOptions(port: ServedPort): string[] {
  const versions = new Set(port.fixedIps.map((ip) => (ip.ipAddress.includes(':') ? 6 : 4)))
  return port.extraDhcpOptions
    .filter((option) => versions.has(option.ipVersion) && !clientIdOptions.includes(option.name))
    .map((option) => {
      // A newline in a name or value would be a line of its own.
      const name = option.name.split('\n')[0]!
      const value = option.value === null ? '' : `,${option.value.split('\n')[0]}`
      const family = option.ipVersion === 6 ? 'option6:' : /^\d+$/.test(name) ? '' : 'option:'
      return `tag:${portTag(port.id)},${family}${name}${value}`
    })
    .sort()
}
