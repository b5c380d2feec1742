import { readFileSync } from 'node:fs'
import { distance } from 'fastest-levenshtein'
import { describeError, Fault } from '../errors.ts'
import { parseIni, type Setting } from './ini.ts'
import type { Config, Option, Options } from './option.ts'

export interface LoadedConfig<O extends Options> {
  config: Config<O>
  /** Deprecated names, options that look misspelt or misplaced: `file:line: what`. */
  warnings: string[]
}

export interface ConfigSources {
  /** Later files win. */
  files?: readonly { path: string; content: string }[]
  /** By `name` or `group.name`; wins over files: the command line. */
  overrides?: Readonly<Record<string, string>>
}

export const readConfigFile = (path: string): { path: string; content: string } => {
  try {
    return { path, content: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new Fault('invalid', `The configuration file ${path} cannot be read.`, { path }, error)
  }
}

/** Reads every option of the table. A value that does not fit its type is a Fault that names file and line. */
export function loadConfig<const O extends Options>(
  options: O,
  sources: ConfigSources = {},
): LoadedConfig<O> {
  const settings = (sources.files ?? []).flatMap(({ path, content }) => parseIni(path, content))
  for (const [key, value] of Object.entries(sources.overrides ?? {})) {
    const { group, name } = splitName(key)
    settings.push({ group, name, value, where: 'command line' })
  }
  const known = new Map(Object.values(options).map((option) => [fullName(option), option]))
  const old = new Map(
    Object.values(options).flatMap((option) =>
      (option.deprecated ?? []).map((name) => [fullName(splitName(name, groupOf(option))), option] as const),
    ),
  )
  const given = new Map<Option, Setting[]>()
  const warnings: string[] = []
  for (const setting of settings) {
    const name = fullName(setting)
    const option = known.get(name) ?? old.get(name)
    if (option === undefined) {
      const hint = guess(setting, [...known.values()])
      if (hint !== undefined) warnings.push(`${setting.where}: ${hint}`)
      continue
    }
    if (!known.has(name)) warnings.push(`${setting.where}: ${show(setting)} is now called ${show(option)}.`)
    given.set(option, option.type.multiple ? [...(given.get(option) ?? []), setting] : [setting])
  }
  const values = new Interpolation(known, given)
  const config = Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, values.read(option)]),
  )
  return { config: config as Config<O>, warnings }
}

const groupOf = (option: { group?: string }): string => option.group ?? 'DEFAULT'
const fullName = (option: { group?: string; name: string }): string =>
  `${groupOf(option)}.${option.name.replaceAll('-', '_')}`
const show = (option: { group?: string; name: string }): string => `[${groupOf(option)}] ${option.name}`

function splitName(key: string, group = 'DEFAULT'): { group: string; name: string } {
  const at = key.indexOf('.')
  return at === -1 ? { group, name: key } : { group: key.slice(0, at), name: key.slice(at + 1) }
}

// OpenStack's files hold options of libraries and services that we have no use for: only what looks like a slip is told.
function guess(setting: Setting, options: readonly Option[]): string | undefined {
  const elsewhere = options.filter((option) => option.name === setting.name)
  if (elsewhere.length === 1) {
    return `${show(setting)} has no effect here; ${setting.name} belongs to [${groupOf(elsewhere[0]!)}].`
  }
  const near = options.find(
    (option) =>
      groupOf(option) === setting.group &&
      distance(option.name, setting.name) <= Math.min(2, setting.name.length / 4),
  )
  return near === undefined ? undefined : `${show(setting)} is no option; did you mean ${near.name}?`
}

class Interpolation {
  readonly #known: ReadonlyMap<string, Option>
  readonly #given: ReadonlyMap<Option, Setting[]>

  constructor(known: ReadonlyMap<string, Option>, given: ReadonlyMap<Option, Setting[]>) {
    this.#known = known
    this.#given = given
  }

  read(option: Option): unknown {
    const settings = this.#given.get(option)
    if (settings === undefined) {
      if (typeof option.default !== 'string') return option.default
      return this.#parse(option, option.default, `default of ${show(option)}`)
    }
    const values = settings.map((setting) => this.#parse(option, setting.value, setting.where))
    return option.type.multiple ? values.flat() : values.at(-1)
  }

  #parse(option: Option, raw: string, where: string): unknown {
    const value = this.#fill(option, raw, where, [])
    try {
      return option.type.parse(value)
    } catch (error) {
      const shown = option.secret ? 'its value' : `'${value}'`
      const comment = /\s(\/\/|#)/.test(value) ? ' A comment must stand on a line of its own.' : ''
      throw new Fault(
        'invalid',
        `${where}: ${show(option)} must be of type ${option.type.name}: ${shown} ${describeError(error)}.${comment}`,
        { where, group: groupOf(option), name: option.name },
      )
    }
  }

  #fill(option: Option, raw: string, where: string, path: readonly Option[]): string {
    if (path.includes(option)) {
      throw new Fault('invalid', `${where}: ${show(option)} refers to itself.`, { where })
    }
    return raw.replace(
      /\\\$|\$\$|\$\{([\w.-]+)\}|\$([A-Za-z_]\w*)/g,
      (found, braced?: string, plain?: string) => {
        const name = braced ?? plain
        if (name === undefined) return '$'
        const meant =
          this.#known.get(fullName(splitName(name, groupOf(option)))) ??
          this.#known.get(fullName(splitName(name)))
        if (meant === undefined) {
          throw new Fault('invalid', `${where}: ${show(option)} refers to ${found}, which is no option.`, {
            where,
          })
        }
        const inner = this.#given.get(meant)?.at(-1)?.value ?? String(meant.default ?? '')
        return this.#fill(meant, inner, where, [...path, option])
      },
    )
  }
}
