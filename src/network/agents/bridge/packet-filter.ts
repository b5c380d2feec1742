/** The packet filter of a host: rules and address sets, compared with what is there or changed where something changed. */
import type { Host } from '../../../linux/host.ts'
import { type AddressSets, compareSets, type SetChange } from '../../../linux/ipset.ts'
import {
  compareTable,
  type MutableTables,
  type RuleFamily,
  type TableChange,
  type WantedTable,
} from '../../../linux/iptables.ts'
import type { CloudNames } from '../names.ts'
import { ownership } from './ownership.ts'

const families = ['bridge', 'ipv4', 'ipv6'] as const

export type HostRules = Record<RuleFamily, MutableTables>

export interface FilterChanges {
  rules: Record<RuleFamily, readonly TableChange[]>
  /** `fill` comes before rules name a set, `destroy` after none does. */
  sets: { fill: readonly SetChange[]; destroy: readonly SetChange[] }
}

/** All rules of the host, this cloud's and others'. */
export async function readHostRules(host: Host): Promise<HostRules> {
  const [bridge, ipv4, ipv6] = await Promise.all([
    host.rules('bridge'),
    host.rules('ipv4'),
    host.rules('ipv6'),
  ])
  return { bridge, ipv4, ipv6 }
}

/** What makes the host's rules and sets what is wanted. */
export function compareFilter(
  names: CloudNames,
  actual: HostRules & { sets: AddressSets },
  wanted: { rules: Record<RuleFamily, ReadonlyMap<string, WantedTable>>; sets: AddressSets },
): FilterChanges {
  const owns = ownership(names)
  const compare = (family: RuleFamily) =>
    [...wanted.rules[family]].flatMap(
      ([table, content]) => compareTable(table, actual[family].get(table), content, owns) ?? [],
    )
  const sets = compareSets(actual.sets, wanted.sets, (name) => name.startsWith(names.sets))
  return { rules: { bridge: compare('bridge'), ipv4: compare('ipv4'), ipv6: compare('ipv6') }, sets }
}

/** Makes the changes, one process for each kind, side by side; says whether there were any. */
export async function changeFilter(host: Host, { rules, sets }: FilterChanges): Promise<boolean> {
  const filling = sets.fill.length > 0 ? host.changeSets(sets.fill) : Promise.resolve()
  // A rule cannot name a set that is not there yet.
  if (sets.fill.some((change) => change.do === 'create')) await filling
  const changed = families.filter((family) => rules[family].length > 0)
  await Promise.all([filling, ...changed.map((family) => host.changeRules(family, rules[family]))])
  if (sets.destroy.length > 0) await host.changeSets(sets.destroy)
  return changed.length + sets.fill.length + sets.destroy.length > 0
}
