/** Which files a program reads: those of its command line, else those in OpenStack's places. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../errors.ts'
import type { ConfigSources } from './load.ts'

export interface ConfigFile {
  path: string
  content: string
}

export interface WantedSources {
  /** `nova` for all of nova's programs. */
  project: string
  /** `nova-api` */
  program: string
  /** Files that are read as well, if they are there, where none are asked for: `/etc/neutron/plugin.ini`. */
  also?: readonly string[]
  /** `--config-file`, in order. */
  configFiles?: readonly string[]
  /** `--config-dir`, in order: every `*.conf` in it, after the files. */
  configDirs?: readonly string[]
  environment?: Readonly<Record<string, string | undefined>>
  /** Of the command line, by `name` or `group.name`. */
  overrides?: Readonly<Record<string, string>>
}

/** What `loadConfig` takes. A file that was asked for and cannot be read is a Fault. */
export function readSources(wanted: WantedSources): ConfigSources & { files: readonly ConfigFile[] } {
  const { project, program, configFiles = [], configDirs = [], environment = {}, overrides = {} } = wanted
  const isAsked = configFiles.length > 0
  const files = isAsked
    ? configFiles
    : [...standardFiles(project, program), ...(wanted.also ?? []).filter(existsSync)]
  const dirs = configDirs.length > 0 ? configDirs : isAsked ? [] : standardDirs(project, program)
  return {
    files: [...files, ...dirs.flatMap(filesOf)].map(readConfigFile),
    environment,
    overrides,
  }
}

export function readConfigFile(path: string): ConfigFile {
  try {
    return { path, content: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new Fault('invalid', `The configuration file ${path} cannot be read`, { path }, error)
  }
}

// oslo.config's search: of each name the first that is there, the program's own after the project's.
const places = (project: string): string[] => [
  join(homedir(), `.${project}`),
  homedir(),
  join('/etc', project),
  '/etc',
]

function standard(project: string, program: string, extension: string): string[] {
  return [...new Set([project, program])].flatMap((name) => {
    const paths = places(project).map((place) => join(place, `${name}${extension}`))
    return paths.filter(existsSync).slice(0, 1)
  })
}

const standardFiles = (project: string, program: string): string[] => standard(project, program, '.conf')
const standardDirs = (project: string, program: string): string[] => standard(project, program, '.conf.d')

function filesOf(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'))
    return names.sort().map((name) => join(directory, name))
  } catch (error) {
    throw new Fault(
      'invalid',
      `The configuration directory ${directory} cannot be read`,
      { directory },
      error,
    )
  }
}
