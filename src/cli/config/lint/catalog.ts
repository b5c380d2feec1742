/** The options that a kind of file may hold, by today's and earlier names: known facts, with what acts on them here. */
import { formatDefault } from '../../../base/config/format.ts'
import { type KnownSet, readKnown } from '../../../base/config/known.ts'
import { fullName, groupOf, splitName } from '../../../base/config/names.ts'
import type { OptionType } from '../../../base/config/option.ts'
import { type Program, programs } from '../programs.ts'
import type { FileKind } from './file-kind.ts'

export interface Entry {
  group: string
  name: string
  type: OptionType<unknown>
  isSecret: boolean
  /** Whether a program of ours acts on it. */
  hasEffect: boolean
  /** As in a file; null: none. */
  default: string | null
  isDeprecated: boolean
  removed?: string
  instead?: string
}

export interface Catalog {
  kind: FileKind
  /** By `fullName`. */
  current: ReadonlyMap<string, Entry>
  earlier: ReadonlyMap<string, Entry>
  sections: ReadonlySet<string>
  /** Options of any section that names a user. */
  auth: ReadonlyMap<string, Entry>
}

/** Gives the catalog of a kind of file; the tables are read once, when the first is asked for. */
export function createCatalogs(): (kind: FileKind) => Catalog {
  const sets = new Map<KnownSet, Entry[]>()
  const catalogs = new Map<FileKind, Catalog>()
  const read = (set: KnownSet) => {
    const entries = sets.get(set) ?? readKnown(set).map((option) => ({ ...option, hasEffect: false }))
    sets.set(set, entries)
    return entries as (Entry & { deprecated: readonly string[] })[]
  }
  return (kind) => {
    const catalog = catalogs.get(kind) ?? build(kind, kind.sets.flatMap(read))
    catalogs.set(kind, catalog)
    return catalog
  }
}

type Source = Entry & { deprecated: readonly string[] }

function build(kind: FileKind, known: readonly Source[]): Catalog {
  const current = new Map<string, Entry>()
  const earlier = new Map<string, Entry>()
  const auth = new Map<string, Entry>()
  const add = (entry: Source) => {
    const already = current.get(fullName(entry))
    current.set(fullName(entry), already === undefined ? entry : { ...already, ...entry })
    for (const name of entry.deprecated) earlier.set(fullName(splitName(name, entry.group)), entry)
  }
  for (const entry of known) {
    if (entry.group === '*') {
      for (const name of [entry.name, ...entry.deprecated]) auth.set(name, entry)
    } else {
      add(entry)
    }
  }
  for (const name of kind.programs) {
    const { options }: Program = programs[name]
    for (const option of Object.values(options)) {
      const { type, deprecated = [], secret = false } = option
      const entry: Source = {
        group: groupOf(option),
        name: option.name,
        type,
        isSecret: secret,
        hasEffect: true,
        default: option.default === null ? null : formatDefault(option),
        isDeprecated: false,
        deprecated,
      }
      add(entry)
    }
  }
  // What is an option of today is no earlier name of another; what OpenStack has no more may be one.
  for (const [name, entry] of current) {
    if (entry.removed === undefined || entry.hasEffect) earlier.delete(name)
  }
  return { kind, current, earlier, auth, sections: new Set([...current.values()].map(({ group }) => group)) }
}

/** The option that a setting means, under today's or an earlier name. */
export function findEntry(
  { current, earlier, auth }: Catalog,
  setting: { group: string; name: string },
): { entry: Entry; isEarlier: boolean } | undefined {
  const name = fullName(setting)
  const then = earlier.get(name)
  if (then !== undefined) return { entry: then, isEarlier: true }
  const today = current.get(name)
  if (today !== undefined) return { entry: today, isEarlier: false }
  const user = auth.get(setting.name)
  if (user === undefined || !current.has(fullName({ group: setting.group, name: 'auth_type' })))
    return undefined
  const entry = { ...user, group: setting.group }
  return { entry, isEarlier: user.name !== setting.name }
}
