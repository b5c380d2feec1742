/** What dnsmasq must know of a network: its command line and its files, as text. */
import { dnsmasqArgs } from '../../../linux/dnsmasq.ts'
import type { DhcpClient, WantedSubnet } from '../../rpc/agents.ts'
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
    ...portFiles(network),
    options: optionsFile(network, options),
  }
}

/** What one port adds to the files. */
interface PortLines {
  /** Without an address: only options are given. */
  stateless: string[]
  hosts: string[]
  names: string[]
}

/** By the network's subnets, then by port: neither is changed in place, so only what is new is written anew. */
const known = new WeakMap<readonly WantedSubnet[], WeakMap<DhcpClient, PortLines>>()

function portFiles(network: ServedNetwork): Pick<DnsmasqConfig, 'hosts' | 'addnHosts'> {
  let kept = known.get(network.subnets)
  if (kept === undefined) {
    kept = new WeakMap()
    known.set(network.subnets, kept)
  }
  const subnets = new Map(servedSubnets(network).map((subnet) => [subnet.id, subnet]))
  const all: PortLines[] = []
  for (const port of network.ports.values()) {
    let lines = kept.get(port)
    if (lines === undefined) {
      lines = portLines(network, subnets, port)
      kept.set(port, lines)
    }
    all.push(lines)
  }
  return {
    // dnsmasq reads from the end: an entry without an address must not hide the one with it.
    hosts: lines([...all.flatMap((port) => port.stateless), ...all.flatMap((port) => port.hosts)]),
    addnHosts: lines(all.flatMap((port) => port.names)),
  }
}

/** `mac,name,address` for each address that may be asked for; and names of all, whether or not they take a lease here. */
function portLines(
  network: ServedNetwork,
  subnets: ReadonlyMap<string, WantedSubnet>,
  port: DhcpClient,
): PortLines {
  const found: PortLines = { stateless: [], hosts: [], names: [] }
  const tagged = port.extraDhcpOptions.length > 0 ? [`set:${portTag(port.id)}`] : []
  const id = clientId(port)
  for (const ip of port.fixedIps) {
    const name = hostName(port, ip.ipAddress)
    const full = fullName(network, name)
    found.names.push(`${ip.ipAddress}\t${full} ${name}`)
    const subnet = subnets.get(ip.subnetId)
    if (subnet === undefined || !mayAsk(port)) continue
    if (isStateless(subnet)) {
      if (tagged.length > 0) found.stateless.push([port.macAddress, ...tagged].join(','))
      continue
    }
    const address = subnet.ipVersion === 6 ? `[${ip.ipAddress}]` : ip.ipAddress
    const idWord = id === undefined ? [] : [`id:${id}`]
    found.hosts.push([port.macAddress, ...idWord, full, address, ...tagged].join(','))
  }
  return found
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

const hostName = (port: DhcpClient, address: string): string =>
  port.dnsName || `host-${address.replaceAll(/[.:]/g, '-')}`

const fullName = (network: ServedNetwork, name: string): string =>
  network.dnsDomain === '' ? name : `${name}.${network.dnsDomain.replace(/\.$/, '')}`

/** The names of the options that are the client's own id, which stands in the hosts file instead. */
const clientIdOptions = ['client-id', '61']

const clientId = (port: DhcpClient): string | undefined =>
  port.extraDhcpOptions.find((option) => clientIdOptions.includes(option.name))?.value ?? undefined

function optionsFile(network: ServedNetwork, options: DhcpOptions): string {
  return lines([
    ...network.subnets
      .filter((subnet) => subnet.enableDhcp && subnet.ipv6AddressMode !== 'slaac')
      .flatMap((subnet) =>
        subnet.ipVersion === 4 ? options4(network, subnet, options) : options6(network, subnet),
      ),
    ...network.ports.values().flatMap(portOptions),
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

function portOptions(port: DhcpClient): string[] {
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
