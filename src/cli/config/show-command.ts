/** `kilonova config show`: what a program's configuration comes to, and where each value is from. */
import { formatValue, withoutSecret } from '../../base/config/format.ts'
import { parseIni } from '../../base/config/ini.ts'
import { type LoadedConfig, loadConfig } from '../../base/config/load.ts'
import { groupOf } from '../../base/config/names.ts'
import type { Options } from '../../base/config/option.ts'
import type { ConfigFile } from '../../base/config/sources.ts'
import { createCatalogs, findEntry } from './lint/catalog.ts'
import { kindOf } from './lint/file-kind.ts'
import { type ProgramName, programs, sourcesOf } from './programs.ts'

export interface ShowCommand {
  configFile: readonly string[]
  configDir: readonly string[]
  daemon?: ProgramName
  /** Leaves out what is as it is without files. */
  diffDefault?: boolean
  format: 'text' | 'json'
}

export interface ShownValue {
  group: string
  name: string
  value: string
  /** `/etc/nova/nova.conf:12`, an environment variable, `default`. */
  from: string
}

export async function show(command: ShowCommand): Promise<number> {
  const { configFile, configDir } = command
  const asked = { configFiles: configFile, configDirs: configDir }
  const daemon = command.daemon ?? programOf(sourcesOf('nova-api', asked).files)
  const sources = sourcesOf(daemon, asked)
  const options: Options = programs[daemon].options
  const values = shownValues(options, loadConfig(options, sources))
  const standard = shownValues(options, loadConfig(options))
  const shown =
    command.diffDefault === true
      ? values.filter(({ value }, index) => value !== standard[index]!.value)
      : values
  if (command.format === 'json') {
    console.log(JSON.stringify(shown, null, 2))
    return 0
  }
  const files = sources.files.map(({ path }) => path)
  console.log(`# ${daemon}, from ${files.length === 0 ? 'no file' : files.join(', ')}`)
  console.log(asIni(shown))
  return 0
}

/** Every option of the table by section, its value without secrets. */
export function shownValues(options: Options, { config, origins }: LoadedConfig<Options>): ShownValue[] {
  const values = Object.entries(options).map(([key, option]) => {
    const value = withoutSecret(option, formatValue(config[key]))
    return { group: groupOf(option), name: option.name, value, from: origins[key]!.where }
  })
  const rank = ({ group }: ShownValue) => (group === 'DEFAULT' ? '' : group)
  return values.sort((a, b) => rank(a).localeCompare(rank(b)) || a.name.localeCompare(b.name))
}

/** As a file, each value with its origin beside it. */
export function asIni(values: readonly ShownValue[]): string {
  const settings = values.map(({ name, value }) => `${name} = ${value.replaceAll('\n', '\n    ')}`)
  const width = Math.min(56, Math.max(0, ...settings.map((text) => text.length)))
  const lines = values.map(({ from }, index) => `${settings[index]!.padEnd(width)}  # ${from}`)
  return [...Map.groupBy(values.keys(), (index) => values[index]!.group)]
    .map(([group, indexes]) => [`\n[${group}]`, ...indexes.map((index) => lines[index]!)].join('\n'))
    .join('\n')
}

/** The program that files are for, when nobody says. */
export function programOf(files: readonly ConfigFile[]): ProgramName {
  const catalogOf = createCatalogs()
  const kinds = files.map(({ path, content }) =>
    kindOf(parseIni(path, content), (kind, setting) => findEntry(catalogOf(kind), setting) !== undefined),
  )
  // neutron.conf is read by all of neutron's programs: the other file says which.
  const named = kinds.find(({ programs }) => programs.length === 1) ?? kinds[0]
  return named?.programs[0] ?? 'nova-api'
}
