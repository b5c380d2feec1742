/** What a management program was told: files of the command line or OpenStack's places, and the environment. */
import { type LoadedConfig, loadConfig } from '../../base/config/load.ts'
import type { Options } from '../../base/config/option.ts'
import { readSources } from '../../base/config/sources.ts'
import type { Sources } from '../../base/manage/program.ts'
import { lintFiles } from '../config/lint/lint-files.ts'

/** Reads the options; what looks like a slip in the files goes to standard error. */
export function loadManaged<const O extends Options>(
  options: O,
  program: { project: string; name: string; also?: readonly string[] },
  sources: Sources,
): { config: LoadedConfig<O>['config']; files: readonly string[] } {
  const { configFiles, configDirs } = sources
  const read = readSources({
    project: program.project,
    program: program.name,
    ...(program.also === undefined ? {} : { also: program.also }),
    configFiles,
    configDirs,
    environment: process.env,
  })
  for (const { severity, path, line, what, fix } of lintFiles(read.files)) {
    if (severity === 'error') console.error(`${path}:${line}: ${what} ${fix}`)
  }
  const { config } = loadConfig(options, read)
  return { config, files: read.files.map((file) => file.path) }
}
