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

export class Zones {
  #zones = new Map<string, number>()

  /** What the host's rules say; of what was given out here before, only what these bridges have is kept. */
  learn(inUse: ReadonlyMap<string, number>, bridges: ReadonlySet<string>): void {
    const given = [...this.#zones].filter(([bridge]) => bridges.has(bridge))
    this.#zones = new Map([...inUse, ...given])
  }

  of(bridge: string): number {
    const known = this.#zones.get(bridge)
    if (known !== undefined) return known
    const taken = new Set(this.#zones.values())
    let zone = first + (createHash('sha1').update(bridge).digest().readUInt32BE() % (last - first + 1))
    while (taken.has(zone)) zone = zone === last ? first : zone + 1
    this.#zones.set(bridge, zone)
    return zone
  }
}
