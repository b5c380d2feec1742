/** The namespace of a network's DHCP server, and the pair of devices that joins it to the bridge. */
import type { Host } from '../../../linux/host.ts'
import type { Link, LinkChange } from '../../../linux/links.ts'
import { type CloudNames, dhcpNamespace, namespaceDeviceName, tapName } from '../names.ts'
import { type ServedNetwork, servesMetadata } from './network.ts'
import { metadataAddress } from './options.ts'

/** Makes namespace, devices, addresses and the default route what they must be; touches only what differs. */
export async function wireNetwork(
  host: Host,
  names: CloudNames,
  network: ServedNetwork,
  options: { enableIsolatedMetadata: boolean },
): Promise<void> {
  const netns = dhcpNamespace(network.id)
  const [tap, inside] = [tapName(network.dhcpPort.id), namespaceDeviceName(network.dhcpPort.id)]
  if (!(await host.namespaces()).includes(netns)) await host.addNamespace(netns)
  const [outer, inner] = await Promise.all([host.links(), host.links(netns)])
  // The bridge agent sees the tap device come, and joins it to the network's bridge.
  await host.changeLinks(outerChanges(outer.get(tap), inner.has(inside), network, names))
  const current = await host.links(netns)
  await host.changeLinks(innerChanges(current, inside, network, options), netns)
  const gateway = network.subnets.find(
    (subnet) => subnet.ipVersion === 4 && subnet.gatewayIp !== null,
  )?.gatewayIp
  if (gateway == null) return
  const routes = await host.routes(netns)
  const there = routes.some((route) => route.destination === 'default' && route.gateway === gateway)
  if (!there)
    await host.changeLinks([{ do: 'add-route', name: inside, destination: 'default', gateway }], netns)
}

function outerChanges(
  tap: Link | undefined,
  peerIsThere: boolean,
  network: ServedNetwork,
  names: CloudNames,
): LinkChange[] {
  const name = tapName(network.dhcpPort.id)
  const changes: LinkChange[] = []
  if (tap !== undefined && !peerIsThere) changes.push({ do: 'remove', name })
  if (tap === undefined || !peerIsThere) {
    changes.push({
      do: 'add-veth',
      name,
      peer: namespaceDeviceName(network.dhcpPort.id),
      peerNetns: dhcpNamespace(network.id),
      peerMacAddress: network.dhcpPort.macAddress,
    })
  }
  const mtu = network.mtu > 0 && tap?.mtu !== network.mtu ? { mtu: network.mtu } : {}
  if (tap?.alias !== names.alias || !tap.up || 'mtu' in mtu)
    changes.push({ do: 'set', name, alias: names.alias, up: true, ...mtu })
  return changes
}

function innerChanges(
  links: ReadonlyMap<string, Link>,
  name: string,
  network: ServedNetwork,
  options: { enableIsolatedMetadata: boolean },
): LinkChange[] {
  const link = links.get(name)
  const wanted = new Set(network.dhcpPort.fixedIps.map((ip) => `${ip.ipAddress}/${ip.prefixLength}`))
  if (servesMetadata(network, options.enableIsolatedMetadata)) wanted.add(`${metadataAddress}/32`)
  const actual = new Set(link?.addresses)
  const changes: LinkChange[] = []
  // A DHCP port that was replaced by another leaves its device.
  for (const old of links.keys())
    if (old.startsWith('ns-') && old !== name) changes.push({ do: 'remove', name: old })
  const mtu = network.mtu > 0 && link?.mtu !== network.mtu ? { mtu: network.mtu } : {}
  if (link?.up !== true || 'mtu' in mtu) changes.push({ do: 'set', name, up: true, ...mtu })
  for (const address of actual.difference(wanted)) changes.push({ do: 'remove-address', name, address })
  for (const address of wanted.difference(actual)) changes.push({ do: 'add-address', name, address })
  return changes
}

/** Removes the namespace and both ends of its devices; those first, since the kernel ends a namespace at its leisure. */
export async function unwireNetwork(host: Host, networkId: string): Promise<void> {
  const netns = dhcpNamespace(networkId)
  if (!(await host.namespaces()).includes(netns)) return
  const inside = [...(await host.links(netns)).keys()].filter((name) => name.startsWith('ns-'))
  const changes = inside.map((name): LinkChange => ({ do: 'remove', name }))
  await host.changeLinks(changes, netns)
  await host.removeNamespace(netns)
}
