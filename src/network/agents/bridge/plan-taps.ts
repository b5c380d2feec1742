/** Guests' devices: which must change, and which ports are up or down by them. */
import type { LinkChange, PortDevice } from '../../../linux/links.ts'
import type { WantedNetwork, WantedPort } from '../../rpc/agents.ts'
import { tapName } from '../names.ts'

export interface TapsPlan {
  changes: LinkChange[]
  /** Ports whose device is there and wired, once `changes` are made. */
  wired: WantedPort[]
  /** Ports without a device, or switched off. */
  unwired: WantedPort[]
}

export function planTaps(
  ports: Iterable<WantedPort>,
  networks: ReadonlyMap<string, WantedNetwork>,
  links: ReadonlyMap<string, PortDevice>,
  bridgeOf: (network: WantedNetwork) => string,
  problems: ReadonlyMap<string, string>,
  /** The hypervisor is not done with it: libvirt fails when the device is on a bridge already that it puts it on. */
  isBeingMade: (link: PortDevice) => boolean,
): TapsPlan {
  const plan: TapsPlan = { changes: [], wired: [], unwired: [] }
  for (const port of ports) {
    const network = networks.get(port.networkId)
    const link = links.get(tapName(port.id))
    const on = port.adminStateUp && network?.adminStateUp === true
    if (network === undefined || link === undefined || problems.has(network.id) || isBeingMade(link)) {
      plan.unwired.push(port)
      continue
    }
    const change: Extract<LinkChange, { do: 'set' }> = { do: 'set', name: link.name }
    const bridge = bridgeOf(network)
    if (link.master !== bridge) change.master = bridge
    if (network.mtu > 0 && link.mtu !== network.mtu) change.mtu = network.mtu
    if (link.up !== on) change.up = on
    if (Object.keys(change).length > 2) plan.changes.push(change)
    if (on) plan.wired.push(port)
    else plan.unwired.push(port)
  }
  return plan
}
