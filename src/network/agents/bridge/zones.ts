/**
 * Connection tracking zones, one for each bridge, since two networks may use the same addresses. A zone in use is kept
 * (the rules on the host are its record); a new bridge gets one derived from its name, or the next that is free.
 */
import { createHash } from 'node:crypto'
import type { Tables } from '../../../linux/iptables.ts'

const first = 4097
const last = 65535

/** The zones that rules of the raw table give to bridges, of this cloud and of any other program. */
export function zonesInUse(tables: Tables): Map<string, number> {
  const zones = new Map<string, number>()
  for (const rules of tables.get('raw')?.values() ?? []) {
    for (const rule of rules) {
      const zone = /-j CT .*--zone (\d+)/.exec(rule)?.[1]
      if (zone !== undefined) zones.set(/^-i (\S+)/.exec(rule)?.[1] ?? rule, Number(zone))
    }
  }
  return zones
}

/** Gives zones, and remembers which it gave. */
export function zoneChooser(inUse: ReadonlyMap<string, number>): (bridge: string) => number {
  const zones = new Map(inUse)
  return (bridge) => {
    const known = zones.get(bridge)
    if (known !== undefined) return known
    const taken = new Set(zones.values())
    let zone = first + (createHash('sha1').update(bridge).digest().readUInt32BE() % (last - first + 1))
    while (taken.has(zone)) zone = zone === last ? first : zone + 1
    zones.set(bridge, zone)
    return zone
  }
}
