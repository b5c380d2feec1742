/** Reads a program's options from files, environment and command line, and says where each value came from. */
import { describeError, Fault } from '../errors.ts'
import { parseIni, type Setting } from './ini.ts'
import { interpolate } from './interpolate.ts'
import { fullName, groupOf, show, splitName, variableOf } from './names.ts'
import type { Config, Option, Options } from './option.ts'

export interface Origin {
  kind: 'default' | 'file' | 'environment' | 'command line'
  /** `/etc/nova/nova.conf:12`, the variable, or the kind again. */
  where: string
  /** As it was written, before interpolation. */
  text?: string
}

export interface LoadedConfig<O extends Options> {
  config: Config<O>
  origins: { readonly [K in keyof O]: Origin }
}

export interface ConfigSources {
  /** Later files win. */
  files?: readonly { path: string; content: string }[]
  /** Wins over files: `OS_<GROUP>__<OPTION>`. */
  environment?: Readonly<Record<string, string | undefined>>
  /** By `name` or `group.name`; wins over both: the command line. */
  overrides?: Readonly<Record<string, string>>
}

interface Given extends Setting {
  kind: Origin['kind']
  /** Of the source: one of a later source wins. */
  source: number
  /** 0 for today's name: in one file it wins over the deprecated ones, wherever they stand. */
  rank: number
}

/** Reads every option of the table. A value that does not fit its type is a Fault that names file and line. */
export function loadConfig<const O extends Options>(
  options: O,
  sources: ConfigSources = {},
): LoadedConfig<O> {
  const all = Object.values(options)
  const names = new Map<string, { option: Option; rank: number }>()
  for (const option of all) {
    for (const [rank, name] of (option.deprecated ?? []).entries()) {
      names.set(fullName(splitName(name, groupOf(option))), { option, rank: rank + 1 })
    }
  }
  for (const option of all) names.set(fullName(option), { option, rank: 0 })
  const given = new Map<Option, Given[]>()
  for (const setting of settingsOf(all, sources)) {
    const found = names.get(fullName(setting))
    // OpenStack's files hold options of libraries and services that we have no use for.
    if (found === undefined) continue
    const { option, rank } = found
    given.set(option, [...(given.get(option) ?? []), { ...setting, rank }])
  }
  const read = reader(names, given)
  const entries = Object.entries(options).map(([key, option]) => [key, read(option)] as const)
  return {
    config: Object.fromEntries(entries.map(([key, { value }]) => [key, value])) as Config<O>,
    origins: Object.fromEntries(
      entries.map(([key, { origin }]) => [key, origin]),
    ) as LoadedConfig<O>['origins'],
  }
}

function settingsOf(options: readonly Option[], sources: ConfigSources): Omit<Given, 'rank'>[] {
  const files = sources.files ?? []
  const settings: Omit<Given, 'rank'>[] = files.flatMap(({ path, content }, source) => {
    const { settings, problems } = parseIni(path, content)
    for (const { line, what } of problems) {
      throw new Fault('invalid', `${path}:${line}: ${what}.`, { where: `${path}:${line}` })
    }
    return settings.map((setting) => ({ ...setting, kind: 'file' as const, source }))
  })
  const outside = (named: { group: string; name: string }, value: string, where: string) => ({
    ...named,
    value,
    where,
    line: 0,
    column: 0,
    valueColumn: 0,
    lastLine: 0,
  })
  for (const option of options) {
    const variable = variableOf(option)
    const value = sources.environment?.[variable]
    if (value === undefined) continue
    const setting = outside({ group: groupOf(option), name: option.name }, value, variable)
    settings.push({ ...setting, kind: 'environment', source: files.length })
  }
  for (const [key, value] of Object.entries(sources.overrides ?? {})) {
    const setting = outside(splitName(key), value, 'command line')
    settings.push({ ...setting, kind: 'command line', source: files.length + 1 })
  }
  return settings
}

function reader(
  names: ReadonlyMap<string, { option: Option }>,
  given: ReadonlyMap<Option, readonly Given[]>,
): (option: Option) => { value: unknown; origin: Origin } {
  const settingOf = (option: Option): Given | undefined => given.get(option)?.reduce(winner)
  const textOf = (name: string) => {
    const option = names.get(name)?.option
    return option && { option, text: settingOf(option)?.value ?? String(option.default ?? '') }
  }
  const parse = (option: Option, raw: string, where: string): unknown => {
    const value = interpolate(option, raw, where, textOf)
    try {
      return option.type.parse(value)
    } catch (error) {
      throw badValue(option, value, where, error)
    }
  }
  return (option) => {
    const setting = settingOf(option)
    if (setting === undefined) {
      const origin: Origin = { kind: 'default', where: 'default' }
      if (typeof option.default !== 'string') return { value: option.default, origin }
      return { value: parse(option, option.default, `default of ${show(option)}`), origin }
    }
    const { kind, where, value: text } = setting
    const origin: Origin = { kind, where, text }
    if (!option.type.multiple) return { value: parse(option, text, where), origin }
    const values = given.get(option)!.map((each) => parse(option, each.value, each.where))
    return { value: values.flat(), origin }
  }
}

const winner = (one: Given, other: Given): Given =>
  other.source > one.source || (other.source === one.source && other.rank <= one.rank) ? other : one

function badValue(option: Option, value: string, where: string, error: unknown): Fault {
  const shown = option.secret ? 'its value' : `'${value}'`
  const comment = /\s(\/\/|#)/.test(value) ? ' A comment must stand on a line of its own.' : ''
  const what = `must be of type ${option.type.name}: ${shown} ${describeError(error)}.${comment}`
  const details = { where, group: groupOf(option), name: option.name }
  return new Fault('invalid', `${where}: ${show(option)} ${what}`, details)
}
