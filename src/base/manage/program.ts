/** Management programs (`nova-manage`, `neutron-db-manage`, …) as data: categories, commands, options, exit codes. */
import { Command, CommanderError } from 'commander'
import { describeError, isFault } from '../errors.ts'

export interface ManageOption {
  /** As commander reads it: `--name <cell_name>`, `--verbose`. */
  flags: string
  help: string
  required?: true
  /** May be given several times; `Given` then has all of them, in order. */
  repeat?: true
}

/** What the user gave, by the option's name in camel case (`cellUuid`); positional arguments by theirs. */
export type Given = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

export interface ManageCommand<Deps> {
  /** `sync`, or `cell_v2 list_cells`. */
  name: string
  help: string
  options?: readonly ManageOption[]
  /** `[VERSION]`, `<revision>`. */
  arguments?: readonly string[]
  /** Gives the exit code. */
  run(given: Given, deps: Deps): Promise<number>
}

/** Before every command, as oslo.config has them. */
export interface Sources {
  configFiles: readonly string[]
  configDirs: readonly string[]
  debug: boolean
  logFile: string | undefined
}

export interface ManageProgram<Deps extends AsyncDisposable> {
  name: string
  help: string
  version: string
  commands: readonly ManageCommand<Deps>[]
  /** Reads the configuration; what it opens is closed after the command. */
  open(sources: Sources): Promise<Deps>
}

const usageError = 2
const unexpected = 255

/** Runs the command that the arguments name (without the program's own name); gives the exit code. */
export async function runManage<Deps extends AsyncDisposable>(
  program: ManageProgram<Deps>,
  args: readonly string[],
): Promise<number> {
  let code = 0
  const root = new Command(program.name).description(program.help).version(program.version)
  root.option('--config-file <PATH>', 'a configuration file; may be repeated, later ones win', gather, [])
  root.option(
    '--config-dir <DIR>',
    'a directory of *.conf files, read in the order of their names',
    gather,
    [],
  )
  root.option('--log-file <PATH>', 'where log lines go instead of standard error')
  root.option('-d, --debug', 'tell more')
  const groups = new Map<string, Command>()
  for (const command of program.commands) {
    const words = command.name.split(' ')
    const name = words.pop()!
    let parent = root
    for (const word of words) {
      const known = groups.get(word) ?? parent.command(word)
      groups.set(word, known)
      parent = known
    }
    const made = parent.command(name).description(command.help)
    for (const argument of command.arguments ?? []) made.argument(argument)
    for (const option of command.options ?? []) {
      if (option.required) made.requiredOption(option.flags, option.help)
      else if (option.repeat) made.option(option.flags, option.help, gather, [])
      else made.option(option.flags, option.help)
    }
    made.action(async () => {
      const given: Record<string, Given[string]> = {}
      for (const [index, argument] of made.registeredArguments.entries()) {
        given[camelCase(argument.name())] = made.processedArgs[index] as string | undefined
      }
      for (const [key, value] of Object.entries(made.opts())) given[camelCase(key)] = value
      await using deps = await program.open(sourcesOf(root))
      code = await command.run(given, deps)
    })
  }
  for (const each of [root, ...groups.values(), ...[...groups.values()].flatMap((one) => one.commands)]) {
    each.exitOverride().showSuggestionAfterError()
  }
  for (const each of root.commands) each.exitOverride().showSuggestionAfterError()
  try {
    await root.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
    if (!isFault(error)) throw error
    console.error(describeError(error))
    return error.kind === 'invalid' ? 1 : unexpected
  }
}

const gather = (value: string, before: string[]): string[] => [...before, value]

const camelCase = (name: string): string =>
  name.toLowerCase() === name || name.toUpperCase() === name
    ? name.toLowerCase().replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function sourcesOf(root: Command): Sources {
  const options = root.opts<{
    configFile: string[]
    configDir: string[]
    logFile?: string
    debug?: boolean
  }>()
  return {
    configFiles: options.configFile,
    configDirs: options.configDir,
    debug: options.debug === true,
    logFile: options.logFile,
  }
}

/** A whole number of at least one; undefined for anything else. */
export function positive(value: Given[string]): number | undefined {
  const number = Number(value)
  return Number.isSafeInteger(number) && number > 0 ? number : undefined
}
