/** Names of devices, namespaces, chains and sets: neutron's, so that what an operator knows still fits. */
import { createHash } from 'node:crypto'

const deviceId = (id: string): string => id.slice(0, 11)

export const bridgeName = (networkId: string): string => `brq${deviceId(networkId)}`
export const tapName = (portId: string): string => `tap${deviceId(portId)}`
/** The DHCP port's end inside the namespace. */
export const namespaceDeviceName = (portId: string): string => `ns-${deviceId(portId)}`
export const dhcpNamespace = (networkId: string): string => `qdhcp-${networkId}`
export const vxlanName = (vni: number): string => `vxlan-${vni}`

/** A VLAN's device on a physical one; the name is hashed where the kernel's 15 characters do not hold it. */
export function vlanName(physical: string, vlanId: number): string {
  const name = `${physical}.${vlanId}`
  return name.length <= 15 ? name : `${hash(physical)}.${vlanId}`
}

const hash = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 6)

/**
 * The names that must differ between clouds that share a machine. The cloud called `default` has neutron's own; each
 * other has the same with a mark derived from its id. Devices carry the cloud's id as their alias.
 */
export interface CloudNames {
  cloudId: string
  /** `ifalias` of the devices that this cloud made. */
  alias: string
  /** Begins every iptables chain. */
  chains: string
  macChains: string
  arpChains: string
  /** Begins every ipset's name, `4` or `6` follows. */
  sets: string
  /** The provider network's pair of devices, and the chains of its translation to the outside. */
  provider: { hostDevice: string; networkDevice: string; chains: string }
}

export function cloudNames(cloudId: string): CloudNames {
  const alias = `kilonova:${cloudId}`
  if (cloudId === 'default') {
    return {
      cloudId,
      alias,
      chains: 'neutron-linuxbri-',
      macChains: 'neutronMAC-',
      arpChains: 'neutronARP-',
      sets: 'NIPv',
      provider: { hostDevice: 'kn-provider', networkDevice: 'kn-provider-net', chains: 'kilonova-' },
    }
  }
  const mark = hash(cloudId)
  return {
    cloudId,
    alias,
    chains: `neutron-lb${mark}-`,
    macChains: `n${mark}MAC-`,
    arpChains: `n${mark}ARP-`,
    sets: `N${mark}v`,
    provider: { hostDevice: `kn-${mark}`, networkDevice: `kn-${mark}-net`, chains: `kn${mark}-` },
  }
}

/** `NIPv4` and as much of the group's id as a set's name holds. */
export const setName = (names: CloudNames, groupId: string, family: 'ipv4' | 'ipv6'): string =>
  `${names.sets}${family === 'ipv4' ? 4 : 6}${groupId}`.slice(0, 29)
