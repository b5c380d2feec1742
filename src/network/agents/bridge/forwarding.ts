/** L2 population: tells vxlan devices which host each guest lives on, instead of asking everybody. */
import { type ForwardingEntry, floodMacAddress } from '../../../linux/fdb.ts'
import type { Host } from '../../../linux/host.ts'
import type { WantedL2 } from '../../rpc/agents.ts'

/** What a network's vxlan device must know: each guest elsewhere, and every host to flood to. */
export function wantedForwarding(wanted: WantedL2, networkId: string): ForwardingEntry[] {
  const guests = wanted.forwarding.filter((entry) => entry.networkId === networkId)
  const hosts = new Set(guests.map((entry) => entry.tunnelIp))
  return [
    ...[...hosts].map((ip) => ({ macAddress: floodMacAddress, destination: ip })),
    ...guests.map((entry) => ({ macAddress: entry.macAddress.toLowerCase(), destination: entry.tunnelIp })),
  ]
}

/** Makes a device's entries what is wanted. */
export async function syncForwarding(
  host: Host,
  device: string,
  wanted: readonly ForwardingEntry[],
): Promise<void> {
  const actual = await host.forwarding(device)
  const key = (entry: ForwardingEntry) => `${entry.macAddress} ${entry.destination}`
  const there = new Set(actual.map(key))
  const needed = new Set(wanted.map(key))
  const changes = {
    add: wanted.filter((entry) => !there.has(key(entry))),
    remove: actual.filter((entry) => !needed.has(key(entry))),
  }
  if (changes.add.length + changes.remove.length > 0) await host.changeForwarding(device, changes)
}
