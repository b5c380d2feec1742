/** What a program's configuration says, read at the start and again at each SIGHUP. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type PolicyOverrides, readPolicyFile } from '../../base/auth/policy/policy-file.ts'
import { type Logging, loggingOf } from '../../base/config/common/logging.ts'
import { loadConfig } from '../../base/config/load.ts'
import type { Config, Options } from '../../base/config/option.ts'
import type { ConfigFile } from '../../base/config/sources.ts'
import { Fault } from '../../base/errors.ts'
import { type ProgramName, programs, sourcesOf } from '../config/programs.ts'
import type { CommandLine } from './command-line.ts'

export interface Configuration {
  config: Config<Options>
  logging: Logging
  policyOverrides: PolicyOverrides
  files: readonly ConfigFile[]
}

export function readConfiguration(program: ProgramName, asked: CommandLine): Configuration {
  const sources = sourcesOf(program, asked)
  const options: Options = programs[program].options
  const { config } = loadConfig(options, sources)
  const logging = loggingOf(withSystemdsLogs(config as never), program)
  const at = sources.files.map(({ path }) => dirname(path))
  return { config, logging, policyOverrides: readPolicies(config, at), files: sources.files }
}

// Of units with LogsDirectory=: a program that is told of no place for its log has it there.
function withSystemdsLogs(config: Parameters<typeof loggingOf>[0]): Parameters<typeof loggingOf>[0] {
  const directory = process.env['LOGS_DIRECTORY']
  return config.logDir === null && directory !== undefined ? { ...config, logDir: directory } : config
}

function readPolicies(config: Config<Options>, directories: readonly string[]): PolicyOverrides {
  const { policyFile, policyDirs } = config as { policyFile?: string; policyDirs?: readonly string[] }
  const rules = new Map<string, { text: string; where: string }>()
  const place = (path: string) => directories.map((each) => join(each, path)).findLast(existsSync)
  const find = (path: string) => (path.startsWith('/') ? path : place(path))
  const files = policyFile === undefined ? [] : [find(policyFile)]
  for (const name of policyDirs ?? []) {
    const directory = find(name)
    if (directory === undefined || !existsSync(directory)) continue
    files.push(
      ...readdirSync(directory)
        .sort()
        .map((file) => join(directory, file)),
    )
  }
  for (const file of files) {
    if (file === undefined || !existsSync(file)) continue
    for (const [name, rule] of readPolicyFile(file, readText(file))) rules.set(name, rule)
  }
  return rules
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Fault('invalid', `The policy file ${path} cannot be read`, { path }, error)
  }
}
