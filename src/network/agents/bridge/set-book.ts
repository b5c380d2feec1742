/** The address sets that rules with a remote group refer to: what each must hold, and what changed of it. */
import { type AddressSet, type SetChange, setEntries } from '../../../linux/ipset.ts'
import type { WantedGroup } from '../../rpc/agents.ts'
import { CountedSet } from '../counted-set.ts'
import { type CloudNames, setName } from '../names.ts'

interface Book {
  groupId: string
  family: AddressSet['family']
  /** Two members may have the same address. */
  entries: CountedSet
}

export class SetBook {
  readonly #names: CloudNames
  readonly #sets = new Map<string, Book>()
  #fill: SetChange[] = []
  #destroy: SetChange[] = []

  constructor(names: CloudNames) {
    this.#names = names
  }

  /** A member of a group has other addresses than before; gives those that no member has any more. */
  change(groupId: string, before: readonly string[], after: readonly string[]): string[] {
    const gone: string[] = []
    for (const family of ['ipv4', 'ipv6'] as const) {
      const name = setName(this.#names, groupId, family)
      const book = this.#sets.get(name)
      if (book === undefined) continue
      for (const entry of entriesOf(after, book.family))
        if (book.entries.add(entry)) this.#fill.push({ do: 'add', name, entry })
      for (const entry of entriesOf(before, book.family)) {
        if (!book.entries.delete(entry)) continue
        this.#fill.push({ do: 'remove', name, entry })
        gone.push(entry)
      }
    }
    return gone
  }

  /** Makes the sets those that the rules of these groups name; `members` tells what is in a new one. */
  name(
    groups: Iterable<WantedGroup>,
    members: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>,
  ): void {
    const wanted = new Map<string, { groupId: string; family: AddressSet['family'] }>()
    for (const group of groups) {
      for (const { remoteGroupId: groupId, ethertype } of group.rules) {
        if (groupId === null) continue
        const [version, family] =
          ethertype === 'IPv4' ? (['ipv4', 'inet'] as const) : (['ipv6', 'inet6'] as const)
        wanted.set(setName(this.#names, groupId, version), { groupId, family })
      }
    }
    for (const name of this.#sets.keys()) {
      if (wanted.has(name)) continue
      this.#sets.delete(name)
      this.#destroy.push({ do: 'destroy', name })
    }
    for (const [name, { groupId, family }] of wanted) {
      if (this.#sets.has(name)) continue
      const entries = new CountedSet()
      this.#sets.set(name, { groupId, family, entries })
      this.#fill.push({ do: 'create', name, family })
      for (const addresses of members.get(groupId)?.values() ?? [])
        for (const entry of entriesOf(addresses, family))
          if (entries.add(entry)) this.#fill.push({ do: 'add', name, entry })
    }
  }

  whole(): Map<string, AddressSet> {
    return new Map(
      [...this.#sets].map(([name, book]) => [
        name,
        { family: book.family, entries: new Set(book.entries.keys()) },
      ]),
    )
  }

  /** What changed since this was last called. Destroying is apart: it comes after the rules that named the set are gone. */
  takeChanges(): { fill: SetChange[]; destroy: SetChange[] } {
    const changes = { fill: this.#fill, destroy: this.#destroy }
    this.#fill = []
    this.#destroy = []
    return changes
  }
}

const entriesOf = (cidrs: readonly string[], family: AddressSet['family']): Set<string> =>
  setEntries(cidrs.filter((cidr) => cidr.includes(':') === (family === 'inet6')))
