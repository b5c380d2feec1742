/**
 * Packet filter rules as data, for IPv4, IPv6 and frames on bridges: the three tools share one language.
 *
 * A caller owns some chains by name and says what they must hold; built-in chains it only jumps from. Rules are
 * written as `iptables-save` prints them, so that comparing text is comparing rules.
 */
import type { Run } from './run.ts'

/** `bridge` is ebtables: it sees every frame, ARP too. */
export type RuleFamily = 'ipv4' | 'ipv6' | 'bridge'

/** Chain name → its rules in order, without `-A <chain>`. */
export type Chains = ReadonlyMap<string, readonly string[]>
/** Table name → its chains, built-in ones among them. */
export type Tables = ReadonlyMap<string, Chains>

export type MutableTables = Map<string, Map<string, string[]>>

/** What one owner wants in a table. */
export interface WantedTable {
  chains: Chains
  /**
   * Chains that are made of sections, by the lengths of these: the rules of one section may stand in any order, so that
   * one can come and go without the others being written again.
   */
  sections?: ReadonlyMap<string, readonly number[]>
  /** Rules that built-in chains must begin with. A built-in chain named here keeps none of the owner's other rules. */
  hooks: Chains
}

/** What tells an owner's own chains and hooks from everybody else's. */
export interface Ownership {
  chain(name: string): boolean
  /** Whether a rule of a built-in chain is the owner's. */
  hook(rule: string): boolean
}

/** Changes of one table, done together or not at all. */
export interface TableChange {
  table: string
  create: string[]
  /** Chains whose rules are replaced; new ones among them. */
  fill: Map<string, readonly string[]>
  /** Single rules that come, at a place counted from 1 or at the end. */
  addRules: { chain: string; position: number | 'last'; rule: string }[]
  removeRules: { chain: string; rule: string }[]
  remove: string[]
}

const tools = { ipv4: 'iptables', ipv6: 'ip6tables', bridge: 'ebtables' } as const

/** A change of a table that changes nothing yet. */
export const noChange = (table: string): TableChange => ({
  table,
  create: [],
  fill: new Map(),
  addRules: [],
  removeRules: [],
  remove: [],
})

const isEmpty = (change: TableChange): boolean =>
  change.create.length +
    change.fill.size +
    change.addRules.length +
    change.removeRules.length +
    change.remove.length ===
  0

/** Rules of a family as they are. Counters are left out. */
export async function readRules(run: Run, family: RuleFamily): Promise<MutableTables> {
  const { stdout } = await run(`${tools[family]}-save`, [])
  return parseRules(stdout)
}

/** Reads what `iptables-save` and `ebtables-save` print. */
export function parseRules(text: string): MutableTables {
  const tables = new Map<string, Map<string, string[]>>()
  let chains = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) {
      chains = new Map()
      tables.set(line.slice(1), chains)
    } else if (line.startsWith(':')) chains.set(line.slice(1, line.indexOf(' ')), [])
    else if (line.startsWith('-A ')) {
      const space = line.indexOf(' ', 3)
      chains.get(line.slice(3, space))?.push(line.slice(space + 1))
    }
  }
  return tables
}

/** What makes the owner's part of one table what is wanted; undefined when it is so already. */
export function compareTable(
  table: string,
  actual: Chains | undefined,
  wanted: WantedTable,
  owns: Ownership,
): TableChange | undefined {
  const current: Chains = actual ?? new Map()
  const change = noChange(table)
  change.remove = [...current.keys()].filter((name) => owns.chain(name) && !wanted.chains.has(name))
  for (const [name, rules] of wanted.chains) {
    const there = current.get(name)
    if (there === undefined) change.create.push(name)
    if (there === undefined || !sameSections(there, rules, wanted.sections?.get(name)))
      change.fill.set(name, rules)
  }
  compareHooks(current, wanted.hooks, owns, change)
  return isEmpty(change) ? undefined : change
}

function compareHooks(current: Chains, wanted: Chains, owns: Ownership, change: TableChange): void {
  const chains = new Set([...wanted.keys(), ...current.keys()])
  for (const chain of chains) {
    if (owns.chain(chain)) continue
    const rules = wanted.get(chain) ?? []
    const there = (current.get(chain) ?? []).filter((rule) => owns.hook(rule))
    if (sameRules(there, rules)) continue
    for (const rule of there) if (!rules.includes(rule)) change.removeRules.push({ chain, rule })
    const kept = there.filter((rule) => rules.includes(rule))
    // Rules that are there in another order, or twice, are taken out and put back.
    const ordered = sameRules(
      kept,
      rules.filter((rule) => kept.includes(rule)),
    )
    if (!ordered) for (const rule of kept) change.removeRules.push({ chain, rule })
    rules.forEach((rule, index) => {
      if (!ordered || !kept.includes(rule)) change.addRules.push({ chain, position: index + 1, rule })
    })
  }
}

function sameSections(
  there: readonly string[],
  rules: readonly string[],
  lengths: readonly number[] | undefined,
): boolean {
  if (lengths === undefined || there.length !== rules.length) return sameRules(there, rules)
  let at = 0
  return lengths.every((length) => {
    const end = at + length
    const [one, other] = [there.slice(at, end).sort(), rules.slice(at, end).sort()]
    at = end
    return sameRules(one, other)
  })
}

const sameRules = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((rule, index) => rule === other[index])

/** The same change made to rules in memory: what a reading would give after it. */
export function applyTableChange(tables: MutableTables, change: TableChange): void {
  const chains = tables.get(change.table) ?? new Map<string, string[]>()
  tables.set(change.table, chains)
  for (const name of change.create) chains.set(name, [])
  for (const { chain, rule } of change.removeRules) {
    const rules = chains.get(chain) ?? []
    const at = rules.indexOf(rule)
    if (at >= 0) rules.splice(at, 1)
  }
  for (const [name, rules] of change.fill) chains.set(name, [...rules])
  for (const { chain, position, rule } of change.addRules) {
    const rules = chains.get(chain) ?? []
    chains.set(chain, rules)
    if (position === 'last') rules.push(rule)
    else rules.splice(position - 1, 0, rule)
  }
  for (const name of change.remove) chains.delete(name)
}

/** The text for `iptables-restore --noflush`. New chains come first, since rules may jump to them. */
export function restoreText(family: RuleFamily, changes: readonly TableChange[]): string {
  const lines: string[] = []
  for (const change of changes) {
    lines.push(`*${change.table}`)
    for (const name of change.create) lines.push(family === 'bridge' ? `:${name} ACCEPT` : `:${name} - [0:0]`)
    for (const { chain, rule } of change.removeRules) lines.push(`-D ${chain} ${rule}`)
    for (const [name, rules] of change.fill) {
      if (!change.create.includes(name)) lines.push(`-F ${name}`)
      for (const rule of rules) lines.push(`-A ${name} ${rule}`)
    }
    for (const { chain, position, rule } of change.addRules)
      lines.push(position === 'last' ? `-A ${chain} ${rule}` : `-I ${chain} ${position} ${rule}`)
    for (const name of change.remove) lines.push(`-F ${name}`)
    for (const name of change.remove) lines.push(`-X ${name}`)
    lines.push('COMMIT')
  }
  return lines.join('\n') + '\n'
}

/** Makes the changes of a family in one process; each table changes at once for the packets that pass. */
export async function changeRules(
  run: Run,
  family: RuleFamily,
  changes: readonly TableChange[],
): Promise<void> {
  if (changes.length === 0) return
  // The old iptables locks the whole table: another program may hold it for a moment.
  const wait = family === 'bridge' ? [] : ['--wait', '10']
  await run(`${tools[family]}-restore`, ['--noflush', ...wait], { input: restoreText(family, changes) })
}
