/**
 * The packet filter of a host, kept as wanted. It knows what it last saw and did, so that a member that joins a group
 * costs one change of one set; it reads everything anew at the start, after a failure, and when what it knows is old.
 */
import type { Clock } from '../../../base/clock.ts'
import type { Host } from '../../../linux/host.ts'
import type { AddressSets } from '../../../linux/ipset.ts'
import { applySetChanges, compareSets, type MutableSets } from '../../../linux/ipset.ts'
import {
  applyTableChange,
  compareTable,
  type MutableTables,
  type Ownership,
  type RuleFamily,
  type Tables,
} from '../../../linux/iptables.ts'
import type { CloudNames } from '../names.ts'
import { ownership, type WantedRules } from './plan-rules.ts'

const families = ['bridge', 'ipv4', 'ipv6'] as const

interface Known {
  rules: Record<RuleFamily, MutableTables>
  sets: MutableSets
  readAt: number
}

export class PacketFilter {
  readonly #host: Host
  readonly #owns: Ownership
  readonly #names: CloudNames
  readonly #clock: Clock
  readonly #maxAge: number
  #known: Known | undefined

  constructor(host: Host, names: CloudNames, clock: Clock, maxAgeSeconds = 30) {
    this.#host = host
    this.#names = names
    this.#owns = ownership(names)
    this.#clock = clock
    this.#maxAge = maxAgeSeconds * 1000
  }

  /** The rules as last seen; read from the host when that is too long ago. */
  async current(): Promise<Tables> {
    return (await this.#read()).rules.ipv4
  }

  async #read(): Promise<Known> {
    if (this.#known !== undefined && this.#clock.now() - this.#known.readAt < this.#maxAge) return this.#known
    const [bridge, ipv4, ipv6, sets] = await Promise.all([
      ...families.map((family) => this.#host.rules(family)),
      this.#host.sets(),
    ] as [Promise<MutableTables>, Promise<MutableTables>, Promise<MutableTables>, Promise<MutableSets>])
    this.#known = { rules: { bridge, ipv4, ipv6 }, sets, readAt: this.#clock.now() }
    return this.#known
  }

  /** Makes the host's rules and sets what is wanted; says whether anything changed. */
  async apply(rules: WantedRules, sets: AddressSets): Promise<boolean> {
    const known = await this.#read()
    // Whatever fails half-way, the next run reads again.
    this.#known = undefined
    const setChanges = compareSets(known.sets, sets, (name) => name.startsWith(this.#names.sets))
    await this.#host.changeSets(setChanges.fill)
    applySetChanges(known.sets, setChanges.fill)
    const changed = await Promise.all(families.map((family) => this.#applyFamily(family, known, rules)))
    await this.#host.changeSets(setChanges.destroy)
    applySetChanges(known.sets, setChanges.destroy)
    this.#known = known
    return changed.some(Boolean) || setChanges.fill.length + setChanges.destroy.length > 0
  }

  async #applyFamily(family: RuleFamily, known: Known, wanted: WantedRules): Promise<boolean> {
    const changes = [...wanted[family]].flatMap(
      ([table, content]) => compareTable(table, known.rules[family].get(table), content, this.#owns) ?? [],
    )
    await this.#host.changeRules(family, changes)
    for (const change of changes) applyTableChange(known.rules[family], change)
    return changes.length > 0
  }
}
