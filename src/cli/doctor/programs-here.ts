/** Which of OpenStack's programs are set up on this host, as their configuration files tell, with what these say. */
import { loadConfig, type Origin } from '../../base/config/load.ts'
import type { Config, Options } from '../../base/config/option.ts'
import { describeError } from '../../base/errors.ts'
import { type ProgramName, programs, sourcesOf } from '../config/programs.ts'
import { type Finding, failure } from './finding.ts'

export interface ProgramHere {
  name: ProgramName
  config: Config<Options>
  origins: Readonly<Record<string, Origin>>
  files: readonly string[]
}

/** Programs that one file may be for: which it is, its content tells. */
const controllerOnly: readonly ProgramName[] = [
  'nova-api',
  'nova-api-metadata',
  'nova-conductor',
  'nova-scheduler',
  'nova-consoleauth',
]

export interface Asked {
  /** Without any: all whose files are here. */
  names: readonly ProgramName[]
  configFiles: readonly string[]
  configDirs: readonly string[]
}

/** The programs; `problems` tell of those whose files cannot be read as what they should be. */
export function programsHere(asked: Asked): { programs: ProgramHere[]; problems: Finding[] } {
  const problems = new Map<string, Finding>()
  const names = asked.names.length > 0 ? asked.names : (Object.keys(programs) as ProgramName[])
  const found = names.flatMap((name): ProgramHere[] => {
    const sources = sourcesOf(name, { configFiles: asked.configFiles, configDirs: asked.configDirs })
    if (sources.files.length === 0) return []
    try {
      const { config, origins } = loadConfig<Options>(programs[name].options, sources)
      return [{ name, config, origins, files: sources.files.map((file) => file.path) }]
    } catch (error) {
      const what = describeError(error)
      problems.set(
        what,
        failure('configuration', what, 'Correct the value: no program that reads it starts.'),
      )
      return []
    }
  })
  return {
    programs: asked.names.length > 0 ? found : found.filter(isForThisHost),
    problems: [...problems.values()],
  }
}

// A compute host's nova.conf names no database (see `kilonova config lint`), and a controller's names the API's.
function isForThisHost({ name, config, files }: ProgramHere): boolean {
  if (name === 'nova-compute') return !has(config, 'apiDatabaseConnection')
  if (controllerOnly.includes(name)) return has(config, 'apiDatabaseConnection')
  // Placement's own file may leave the URL to the environment; nova.conf, read in its place, is a compute host's too.
  if (name === 'placement-api' && files.every((file) => file.endsWith('/nova.conf')))
    return has(config, 'databaseConnection') || has(config, 'apiDatabaseConnection')
  if (name === 'neutron-server') return has(config, 'databaseConnection')
  if (name.startsWith('neutron-')) return files.some((file) => file.endsWith('.ini'))
  return true
}

export const has = (config: Config<Options>, key: string): boolean => {
  const value = textOf(config, key)
  return value !== undefined && value !== ''
}

/** A text of the configuration; undefined where the program has no such option, or nothing is set. */
export function textOf(config: Config<Options>, key: string): string | undefined {
  const value = config[key]
  return typeof value === 'string' ? value : undefined
}

/** `nova.conf:12`, or how else the value came. */
export const whereOf = (program: ProgramHere, key: string): string => program.origins[key]?.where ?? 'default'
