/** Sets of addresses that iptables rules refer to by name. */
import type { Run } from './run.ts'

export interface AddressSet {
  family: 'inet' | 'inet6'
  /** CIDRs as ipset prints them: a single host without its prefix length. */
  entries: ReadonlySet<string>
}

export type AddressSets = ReadonlyMap<string, AddressSet>

export type MutableSets = Map<string, { family: AddressSet['family']; entries: Set<string> }>

/** What to do to one set; the whole list is one `ipset restore`. */
export type SetChange =
  | { do: 'create'; name: string; family: AddressSet['family'] }
  | { do: 'add' | 'remove'; name: string; entry: string }
  | { do: 'destroy'; name: string }

/** How ipset prints an address: it leaves out the length of a single host's prefix. */
export const setEntry = (cidr: string): string => cidr.replace(cidr.includes(':') ? /\/128$/ : /\/32$/, '')

/** The same addresses as entries of a `hash:net` set, which cannot hold everything in one entry. */
export const setEntries = (cidrs: readonly string[]): Set<string> =>
  new Set(
    cidrs.flatMap((cidr) => {
      if (cidr === '0.0.0.0/0') return ['0.0.0.0/1', '128.0.0.0/1']
      if (cidr === '::/0') return ['::/1', '8000::/1']
      return [setEntry(cidr)]
    }),
  )

export async function readSets(run: Run): Promise<MutableSets> {
  const { stdout } = await run('ipset', ['save'])
  return parseSets(stdout)
}

/** Reads what `ipset save` prints. */
export function parseSets(text: string): MutableSets {
  const sets: MutableSets = new Map()
  for (const line of text.split('\n')) {
    const words = line.split(' ')
    const name = words[1]
    if (name === undefined) continue
    if (words[0] === 'create') {
      const family = words[words.indexOf('family') + 1] === 'inet6' ? 'inet6' : 'inet'
      sets.set(name, { family, entries: new Set() })
    } else if (words[0] === 'add' && words[2] !== undefined) sets.get(name)?.entries.add(words[2])
  }
  return sets
}

/**
 * What makes the sets that `owns` accepts equal to `wanted`. Destroying is apart: it must come after the rules that
 * named the set are gone.
 */
export function compareSets(
  actual: AddressSets,
  wanted: AddressSets,
  owns: (name: string) => boolean,
): { fill: SetChange[]; destroy: SetChange[] } {
  const fill: SetChange[] = []
  for (const [name, { family, entries }] of wanted) {
    const there = actual.get(name)
    if (there === undefined) fill.push({ do: 'create', name, family })
    const current = there?.entries ?? new Set<string>()
    for (const entry of entries.difference(current)) fill.push({ do: 'add', name, entry })
    for (const entry of current.difference(entries)) fill.push({ do: 'remove', name, entry })
  }
  const destroy = [...actual.keys()]
    .filter((name) => owns(name) && !wanted.has(name))
    .map((name): SetChange => ({ do: 'destroy', name }))
  return { fill, destroy }
}

/** The same changes made to sets in memory. */
export function applySetChanges(sets: MutableSets, changes: readonly SetChange[]): void {
  for (const change of changes) {
    if (change.do === 'create') sets.set(change.name, { family: change.family, entries: new Set() })
    else if (change.do === 'destroy') sets.delete(change.name)
    else if (change.do === 'add') sets.get(change.name)?.entries.add(change.entry)
    else sets.get(change.name)?.entries.delete(change.entry)
  }
}

export async function changeSets(run: Run, changes: readonly SetChange[]): Promise<void> {
  if (changes.length === 0) return
  await run('ipset', ['-exist', 'restore'], { input: changes.map(setCommand).join('\n') + '\n' })
}

function setCommand(change: SetChange): string {
  switch (change.do) {
    case 'create':
      return `create ${change.name} hash:net family ${change.family} hashsize 1024 maxelem 65536`
    case 'add':
      return `add ${change.name} ${change.entry}`
    case 'remove':
      return `del ${change.name} ${change.entry}`
    case 'destroy':
      return `destroy ${change.name}`
  }
}
