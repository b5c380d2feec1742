/** Guests' devices: which must change, and which ports are up or down by them. */
import type { Link, LinkChange } from '../../../linux/links.ts'
import type { WantedL2, WantedNetwork, WantedPort } from '../../rpc/agents.ts'
import { tapName } from '../names.ts'

export interface TapsPlan {
  changes: LinkChange[]
  /** Ports whose device is there and wired, once `changes` are made. */
  wired: WantedPort[]
  /** Ports without a device, or switched off. */
  unwired: WantedPort[]
}

export function planTaps(
  wanted: WantedL2,
  links: ReadonlyMap<string, Link>,
  bridgeOf: (network: WantedNetwork) => string,
  problems: ReadonlyMap<string, string>,
): TapsPlan {
  const plan: TapsPlan = { changes: [], wired: [], unwired: [] }
  const networks = new Map(wanted.networks.map((network) => [network.id, network]))
  for (const port of wanted.ports) {
    const network = networks.get(port.networkId)
    const link = links.get(tapName(port.id))
    const on = port.adminStateUp && network?.adminStateUp === true
    if (network === undefined || link === undefined || problems.has(network.id)) {
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
