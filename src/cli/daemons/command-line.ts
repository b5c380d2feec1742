/** The command line of a program, as oslo.config and oslo.log have it. */
import { parseArgs } from 'node:util'
import { Fault } from '../../base/errors.ts'

export interface CommandLine {
  configFiles: readonly string[]
  configDirs: readonly string[]
  /** What wins over files and environment. */
  overrides: Readonly<Record<string, string>>
  /** Refuse to start with an error in the files, such as a misspelt option. */
  isStrict: boolean
  help: boolean
  version: boolean
}

const known = {
  'config-file': { type: 'string', multiple: true },
  'config-dir': { type: 'string', multiple: true },
  'log-file': { type: 'string' },
  'log-dir': { type: 'string' },
  debug: { type: 'boolean', short: 'd' },
  nodebug: { type: 'boolean' },
  'strict-config': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

export function parseCommandLine(program: string, args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({ args: [...args], options: known, allowPositionals: false })
    const overrides: Record<string, string> = {}
    if (values['log-file'] !== undefined) overrides['log_file'] = values['log-file']
    if (values['log-dir'] !== undefined) overrides['log_dir'] = values['log-dir']
    if (values.debug === true) overrides['debug'] = 'true'
    if (values.nodebug === true) overrides['debug'] = 'false'
    return {
      configFiles: values['config-file'] ?? [],
      configDirs: values['config-dir'] ?? [],
      overrides,
      isStrict: values['strict-config'] === true,
      help: values.help === true,
      version: values.version === true,
    }
  } catch (error) {
    const [reason] = (error as Error).message.split('. ')
    throw new Fault('invalid', `${reason}. What it takes is told by: ${program} --help`)
  }
}

export const usage = (program: string, description: string, files: readonly string[]): string =>
  `usage: ${program} [--config-file FILE]... [--config-dir DIRECTORY]... [--log-file FILE] [--log-dir DIRECTORY] [--debug]

${program}: ${description}

  --config-file FILE      a configuration file; of an option that several give, the last counts
                          (without any: ${files.join(', ')})
  --config-dir DIRECTORY  a directory of *.conf files, read after the files in the order of their names
  --log-file FILE         where the log goes; relative to --log-dir
  --log-dir DIRECTORY     where the log goes, as ${program}.log (without both: standard error)
  -d, --debug             log what is of use for finding faults, too
  --strict-config         do not start with a misspelt or misplaced option in the files, which is logged otherwise
  --version               the version
  -h, --help              this text

Signals: TERM ends it once what was asked is answered; HUP has it read its configuration again.
`
