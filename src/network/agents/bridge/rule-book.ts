/**
 * Every packet filter rule that this cloud wants on a host, port by port. A port that comes, changes or goes is a
 * change of its own chains and of single rules in those that all ports share: what the others have is not looked at.
 */
import { noChange, type RuleFamily, type TableChange, type WantedTable } from '../../../linux/iptables.ts'
import { CountedSet } from '../counted-set.ts'
import type { CloudNames } from '../names.ts'
import type { SharedRule, TablePart } from './port-rules.ts'

const families = ['ipv4', 'ipv6', 'bridge'] as const

/** Without any port on it a table has no rules at all. */
interface Table {
  family: RuleFamily
  name: string
  /** Of the ports, by the chains' names. */
  own: Map<string, readonly string[]>
  /** The two sections of each chain that ports share. */
  shared: Map<string, readonly [CountedSet, CountedSet]>
  /** Ports that have something in it. */
  users: number
  /** As the host has it; undefined: as it is. */
  usedBefore: boolean | undefined
  change: TableChange
}

export class RuleBook {
  readonly #names: CloudNames
  readonly #tables = new Map<string, Table>()
  readonly #ports = new Map<string, readonly TablePart[]>()

  constructor(names: CloudNames) {
    this.#names = names
    for (const family of ['ipv4', 'ipv6'] as const) {
      this.#addTable(family, 'raw', ['PREROUTING'])
      this.#addTable(family, 'filter', ['FORWARD', 'INPUT', 'sg-chain'])
    }
    this.#addTable('bridge', 'nat', ['PREROUTING'])
  }

  #addTable(family: RuleFamily, name: string, chains: readonly string[]): void {
    const shared = new Map(
      chains.map((chain) => [this.#names.chains + chain, [new CountedSet(), new CountedSet()] as const]),
    )
    const table = {
      family,
      name,
      own: new Map(),
      shared,
      users: 0,
      usedBefore: undefined,
      change: noChange(name),
    }
    this.#tables.set(`${family} ${name}`, table)
  }

  /** Makes these the rules of a port; none: it is gone. Returns those it had. */
  set(portId: string, parts: readonly TablePart[]): readonly TablePart[] {
    const before = this.#ports.get(portId) ?? []
    if (parts.length === 0) this.#ports.delete(portId)
    else this.#ports.set(portId, parts)
    const of = (all: readonly TablePart[]) =>
      new Map(all.map((part) => [`${part.family} ${part.table}`, part]))
    const [old, now] = [of(before), of(parts)]
    for (const key of new Set([...old.keys(), ...now.keys()]))
      setPart(this.#tables.get(key)!, old.get(key), now.get(key))
    return before
  }

  ports(): MapIterator<string> {
    return this.#ports.keys()
  }

  whole(): Record<RuleFamily, Map<string, WantedTable>> {
    const wanted = { ipv4: new Map(), ipv6: new Map(), bridge: new Map() }
    for (const table of this.#tables.values()) wanted[table.family].set(table.name, this.#wantedTable(table))
    return wanted
  }

  #wantedTable(table: Table): WantedTable {
    if (table.users === 0) return { chains: new Map(), hooks: new Map() }
    const chains = new Map(table.own)
    const sections = new Map<string, number[]>()
    for (const [name, rules] of this.#fixedChains(table)) chains.set(name, rules)
    for (const [name, [first, second]] of table.shared) {
      const end = this.#endOf(name)
      chains.set(name, [...first.keys(), ...second.keys(), ...end])
      sections.set(name, [first.size, second.size, end.length])
    }
    return { chains, sections, hooks: this.#hooks(table) }
  }

  #fixedChains(table: Table): [string, readonly string[]][] {
    return table.name === 'filter' ? [[`${this.#names.chains}sg-fallback`, ['-j DROP']]] : []
  }

  #endOf(chain: string): string[] {
    return chain === `${this.#names.chains}sg-chain` ? ['-j ACCEPT'] : []
  }

  #hooks(table: Table): Map<string, string[]> {
    const builtIn = table.name === 'filter' ? ['FORWARD', 'INPUT'] : ['PREROUTING']
    return new Map(builtIn.map((chain) => [chain, [`-j ${this.#names.chains}${chain}`]]))
  }

  /** What changed since this was last called. */
  takeChanges(): Record<RuleFamily, TableChange[]> {
    const taken: Record<RuleFamily, TableChange[]> = { ipv4: [], ipv6: [], bridge: [] }
    for (const table of this.#tables.values()) {
      const { change, usedBefore } = table
      table.change = noChange(table.name)
      table.usedBefore = undefined
      if (usedBefore === undefined) continue
      const used = table.users > 0
      if (used && !usedBefore) taken[table.family].push(this.#firstChange(table))
      else if (!used && usedBefore) taken[table.family].push(this.#lastChange(table, change))
      else if (used) taken[table.family].push(change)
    }
    for (const family of families) taken[family] = taken[family].filter(isChange)
    return taken
  }

  /** A table's first port brings the shared chains along. */
  #firstChange(table: Table): TableChange {
    const wanted = this.#wantedTable(table)
    const change = noChange(table.name)
    for (const [name, rules] of wanted.chains) {
      change.create.push(name)
      change.fill.set(name, rules)
    }
    for (const [chain, rules] of wanted.hooks)
      for (const rule of rules) change.addRules.push({ chain, position: 1, rule })
    return change
  }

  #lastChange(table: Table, { remove }: TableChange): TableChange {
    const change = noChange(table.name)
    const fixed = this.#fixedChains(table).map(([name]) => name)
    change.remove = [...remove, ...table.shared.keys(), ...fixed]
    for (const [chain, rules] of this.#hooks(table))
      for (const rule of rules) change.removeRules.push({ chain, rule })
    return change
  }
}

const isChange = (change: TableChange): boolean =>
  change.create.length +
    change.fill.size +
    change.addRules.length +
    change.removeRules.length +
    change.remove.length >
  0

function setPart(table: Table, before: TablePart | undefined, after: TablePart | undefined): void {
  table.usedBefore ??= table.users > 0
  if (before !== undefined) table.users--
  if (after !== undefined) table.users++
  const { change } = table
  for (const name of before?.chains.keys() ?? []) {
    if (after?.chains.has(name) === true) continue
    table.own.delete(name)
    change.remove.push(name)
  }
  for (const [name, rules] of after?.chains ?? []) {
    const there = table.own.get(name)
    table.own.set(name, rules)
    if (there === undefined) change.create.push(name)
    if (there === undefined || there.join('\n') !== rules.join('\n')) change.fill.set(name, rules)
  }
  setShared(table, before?.shared ?? [], after?.shared ?? [])
}

// What comes is put there before what goes is taken away, so that what both have stays untouched.
function setShared(table: Table, before: readonly SharedRule[], after: readonly SharedRule[]): void {
  for (const { chain, section, rule } of after) {
    if (!table.shared.get(chain)![section].add(rule)) continue
    // A chain with an end of its own has no second section.
    table.change.addRules.push({ chain, position: section === 0 ? 1 : 'last', rule })
  }
  for (const { chain, section, rule } of before)
    if (table.shared.get(chain)![section].delete(rule)) table.change.removeRules.push({ chain, rule })
}
