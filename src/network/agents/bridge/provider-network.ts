/**
 * A provider network for a machine that has none: the host is its gateway and translates guests' addresses to the
 * outside. A pair of devices stands in for a NIC: one end holds the gateway's address, the other becomes a port of the
 * network's bridge, so that what the host sends to a guest passes the guest's security groups like anybody's traffic.
 */
import ipaddr from 'ipaddr.js'
import { Fault } from '../../../base/errors.ts'
import type { Host } from '../../../linux/host.ts'
import { compareTable, type Ownership, type WantedTable } from '../../../linux/iptables.ts'
import type { LinkChange } from '../../../linux/links.ts'
import { type CloudNames, cloudNames } from '../names.ts'

export interface ProviderNetwork {
  /** `172.24.4.0/24` */
  cidr: string
  /** The host's own address, and the guests' gateway: `172.24.4.1`. */
  gatewayIp: string
  /** For `physical_interface_mappings`: the device that leads to this network. */
  interfaceName: string
}

const gatewayOf = (cidr: string): string => {
  const bytes = ipaddr.IPv4.networkAddressFromCIDR(cidr).toByteArray()
  return [...bytes.slice(0, 3), bytes[3]! + 1].join('.')
}

/** Which address or route of the host a network would collide with, in words; undefined when there is none. */
export async function findOverlap(host: Host, cloudId: string, cidr: string): Promise<string | undefined> {
  const own = cloudNames(cloudId).provider.hostDevice
  for (const link of (await host.links()).values()) {
    const address = link.name === own ? undefined : link.addresses.find((other) => overlaps(cidr, other))
    if (address !== undefined) return `${link.name} has the address ${address}`
  }
  const route = (await host.routes()).find(
    (each) => each.device !== own && each.destination !== 'default' && overlaps(cidr, each.destination),
  )
  return route === undefined ? undefined : `the host has a route to ${route.destination} by ${route.device}`
}

function overlaps(one: string, other: string): boolean {
  if (other.includes(':')) return false
  const [a, b] = [parse(one), parse(other)]
  const bits = Math.min(a.bits, b.bits)
  return a.address.match(b.address, bits)
}

function parse(cidr: string): { address: ipaddr.IPv4; bits: number } {
  const [address = '', bits] = cidr.split('/')
  return { address: ipaddr.IPv4.parse(address), bits: bits === undefined ? 32 : Number(bits) }
}

/** 172.24.4.0/24, or the next /24 that nothing on the host overlaps with; the one in use when it is there already. */
export async function chooseProviderCidr(host: Host, cloudId: string): Promise<string> {
  const own = (await host.links()).get(cloudNames(cloudId).provider.hostDevice)?.addresses[0]
  if (own !== undefined) {
    const bits = own.split('/')[1]
    return `${ipaddr.IPv4.networkAddressFromCIDR(own).toString()}/${bits}`
  }
  for (let third = 4; third < 256; third++) {
    const cidr = `172.24.${third}.0/24`
    if ((await findOverlap(host, cloudId, cidr)) === undefined) return cidr
  }
  throw new Fault(
    'conflict',
    'Every /24 within 172.24.0.0/16 overlaps with what this host has; choose a network.',
  )
}

/** Makes the network's devices, address and translation; run again it changes nothing. */
export async function createProviderNetwork(
  host: Host,
  cloudId: string,
  cidr: string,
): Promise<ProviderNetwork> {
  const overlap = await findOverlap(host, cloudId, cidr)
  if (overlap !== undefined) {
    throw new Fault('conflict', `The provider network ${cidr} overlaps with this host: ${overlap}.`, { cidr })
  }
  const names = cloudNames(cloudId)
  const { hostDevice, networkDevice } = names.provider
  const gatewayIp = gatewayOf(cidr)
  const links = await host.links()
  const changes: LinkChange[] = []
  if (!links.has(hostDevice) || !links.has(networkDevice)) {
    if (links.has(hostDevice)) changes.push({ do: 'remove', name: hostDevice })
    changes.push({ do: 'add-veth', name: hostDevice, peer: networkDevice })
  }
  for (const name of [hostDevice, networkDevice]) {
    const link = links.get(name)
    if (link?.alias !== names.alias || !link.up)
      changes.push({ do: 'set', name, alias: names.alias, up: true })
  }
  const address = `${gatewayIp}/${cidr.split('/')[1]}`
  for (const other of links.get(hostDevice)?.addresses ?? [])
    if (other !== address) changes.push({ do: 'remove-address', name: hostDevice, address: other })
  if (links.get(hostDevice)?.addresses.includes(address) !== true)
    changes.push({ do: 'add-address', name: hostDevice, address })
  await host.changeLinks(changes)
  await host.setSysctl('net.ipv4.ip_forward', '1')
  await translate(host, names, cidr)
  return { cidr, gatewayIp, interfaceName: networkDevice }
}

/** Removes devices and rules. What is not there is no error. */
export async function removeProviderNetwork(host: Host, cloudId: string): Promise<void> {
  const names = cloudNames(cloudId)
  const { hostDevice } = names.provider
  if ((await host.links()).has(hostDevice)) await host.changeLinks([{ do: 'remove', name: hostDevice }])
  await translate(host, names, undefined)
}

async function translate(host: Host, names: CloudNames, cidr: string | undefined): Promise<void> {
  const { hostDevice, chains } = names.provider
  const owns: Ownership = {
    chain: (name) => name.startsWith(chains),
    hook: (rule) => rule.includes(`-j ${chains}`),
  }
  const table = (builtIn: string, rules: string[]): WantedTable => {
    if (cidr === undefined) return { chains: new Map(), hooks: new Map() }
    const chain = chains + builtIn
    return { chains: new Map([[chain, rules]]), hooks: new Map([[builtIn, [`-j ${chain}`]]]) }
  }
  const wanted = {
    // Not while a packet crosses a bridge: only where the host routes it.
    nat: table('POSTROUTING', [`-s ${cidr} ! -d ${cidr} -m physdev ! --physdev-is-bridged -j MASQUERADE`]),
    // A host whose own policy forwards nothing lets this network pass.
    filter: table('FORWARD', [`-i ${hostDevice} -j ACCEPT`, `-o ${hostDevice} -j ACCEPT`]),
  }
  const rules = await host.rules('ipv4')
  const changes = Object.entries(wanted).flatMap(
    ([name, content]) => compareTable(name, rules.get(name), content, owns) ?? [],
  )
  await host.changeRules('ipv4', changes)
}
