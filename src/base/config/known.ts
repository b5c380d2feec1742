/**
 * Every option of OpenStack's programs as facts, so that a check knows what a name means although nothing here acts on
 * it. The tables under `known/` have one option a line, its columns separated by tabs:
 *
 *     section  name  type  default  earlier names  flags
 *
 * A type is `string`, `int:1..64`, `string:kvm|qemu` (`string~:` in any case), `list[]` (in brackets), … A default of `-`
 * is none. Earlier names are `name` or `section.name`. Flags: `mutable`, `secret`, `removal` (OpenStack means to remove
 * it), `removed=Train` (gone since that release), `since=2023.1`, `instead=section.name`. The release the tables are of
 * is Zed (2022.2); nova's and neutron's go from Pike (2017) to 2026.1. `*` as section: any that names a user.
 */
import { readFileSync } from 'node:fs'
import { bool, choice, dict, float, int, list, multi, type OptionType, port, text } from './option.ts'

export const knownSets = [
  'nova',
  'neutron',
  'ml2',
  'linuxbridge-agent',
  'openvswitch-agent',
  'macvtap-agent',
  'sriov-agent',
  'dhcp-agent',
  'l3-agent',
  'metadata-agent',
  'metering-agent',
  'keystone',
  'glance',
  'placement',
  'oslo',
  'keystoneauth',
] as const
export type KnownSet = (typeof knownSets)[number]

export interface KnownOption {
  set: KnownSet
  group: string
  name: string
  type: OptionType<unknown>
  /** As it would stand in a file; null: none. */
  default: string | null
  /** `name` in the same section, or `section.name`. */
  deprecated: readonly string[]
  isSecret: boolean
  isMutable: boolean
  /** OpenStack has announced that it will go. */
  isDeprecated: boolean
  /** The release that has it no more; empty when which is not known. */
  removed?: string
  /** The first release that has it, where that is later than Zed. */
  since?: string
  /** `section.name` of what does its work today. */
  instead?: string
}

export function readKnown(set: KnownSet): KnownOption[] {
  const lines = readFileSync(new URL(`known/${set}.tsv`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => {
    const [group = '', name = '', type = '', value = '-', deprecated = '', flags = ''] = line.split('\t')
    const words = new Map(
      flags.split(' ').map((flag) => {
        const [word = '', value = ''] = flag.split('=')
        return [word, value] as const
      }),
    )
    const option: KnownOption = {
      set,
      group,
      name,
      type: typeOf(type),
      default: value === '-' ? null : value === '""' ? '' : value,
      deprecated: deprecated === '' ? [] : deprecated.split(','),
      isSecret: words.has('secret'),
      isMutable: words.has('mutable'),
      isDeprecated: words.has('removal'),
    }
    const [removed, since, instead] = ['removed', 'since', 'instead'].map((word) => words.get(word))
    if (removed !== undefined) option.removed = removed
    if (since !== undefined) option.since = since
    if (instead !== undefined) option.instead = instead
    return option
  })
}

/** The type that a column describes; what is only text is not checked. */
function typeOf(column: string): OptionType<unknown> {
  const [, base = '', separator = '', rest = ''] = /^(\w+)(\[\]|~?:|\/|)(.*)$/s.exec(column) ?? []
  if (separator === '/') return matching(rest)
  if (base === 'list') return listOf(column.replace(/^list(\[\])?:?/, ''), column.startsWith('list[]'))
  const limits = /^(.*)\.\.(.*)$/.exec(rest)
  const range = {
    ...(limits?.[1] ? { min: Number(limits[1]) } : {}),
    ...(limits?.[2] ? { max: Number(limits[2]) } : {}),
  }
  switch (base) {
    case 'bool':
      return bool
    case 'int':
      return emptyIsNone(limits === null && rest !== '' ? oneOf(rest.split('|'), false) : int(range))
    case 'float':
      return emptyIsNone(float(range))
    case 'port':
      return emptyIsNone(port)
    case 'dict':
      return dict
    case 'multi':
      return multi()
    default:
      return rest === '' ? text : oneOf(rest.split('|'), separator === '~:')
  }
}

const oneOf = (choices: readonly string[], inAnyCase: boolean): OptionType<unknown> =>
  inAnyCase
    ? {
        name: 'choice',
        parse: (value) => choice(...choices.map((one) => one.toLowerCase())).parse(value.toLowerCase()),
      }
    : choice(...choices)

// oslo.config takes an empty number for none.
const emptyIsNone = (of: OptionType<unknown>): OptionType<unknown> => ({
  name: of.name,
  parse: (value) => (value === '' ? null : of.parse(value)),
})

function matching(pattern: string): OptionType<unknown> {
  return {
    name: 'string',
    parse(value) {
      if (!new RegExp(pattern).test(value)) throw new Error(`is not of the form ${pattern}`)
      return value
    },
  }
}

function listOf(items: string, inBrackets: boolean): OptionType<unknown> {
  const item = items === 'int' ? int() : items === '' ? text : oneOf(items.split('|'), false)
  const plain = list<unknown>(item as OptionType<unknown>)
  if (!inBrackets) return plain
  return {
    name: plain.name,
    parse(value) {
      if (!/^\[.*\]$/s.test(value)) throw new Error('must stand in brackets: [one,two]')
      return plain.parse(value.slice(1, -1))
    },
  }
}
