/** Runs one of OpenStack's programs, as one process or as a primary with workers, from its command line to its end. */
import cluster from 'node:cluster'
import { describeError, isFault } from '../../base/errors.ts'
import { createLogger, type Logger } from '../../base/log.ts'
import { version } from '../../base/version.ts'
import { hostFacts, lintFiles } from '../config/lint/lint-files.ts'
import { type ProgramName, programs } from '../config/programs.ts'
import { type CommandLine, parseCommandLine, usage } from './command-line.ts'
import { runPrimary } from './primary.ts'
import { runProcess } from './process.ts'
import { type Configuration, readConfiguration } from './read-configuration.ts'
import { daemons } from './table.ts'

/** Resolves with the exit code once the program has ended. */
export async function runDaemon(program: ProgramName, args: readonly string[]): Promise<number> {
  let asked: CommandLine
  let first: Configuration
  try {
    asked = parseCommandLine(program, args)
    if (asked.help) {
      process.stdout.write(usage(program, daemons[program].description, filesOf(program)))
      return 0
    }
    if (asked.version) {
      console.log(version)
      return 0
    }
    first = readConfiguration(program, asked)
  } catch (error) {
    console.error(`${program}: ${isFault(error) ? describeError(error) : (error as Error).stack}`)
    return 1
  }
  const log = createLogger(first.logging).child({ program })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  const read = () => readConfiguration(program, asked)
  const { workers } = daemons[program]
  const count = workers?.(first.config as never) ?? 0
  if (cluster.isPrimary && logFindings(program, first, log) && asked.isStrict) {
    console.error(
      `${program}: --strict-config: the configuration has errors, which the log tells; not started.`,
    )
    return 1
  }
  if (cluster.isWorker || count === 0) return await runProcess({ program, first, read, log })
  const countAgain = () => workers!(read().config as never)
  return await runPrimary({ program, count, countAgain, args, log })
}

/**
 * Logs what a check of the configuration finds, so that a slip is told before anything goes wrong by it. True when there
 * is an error among it.
 */
function logFindings(program: ProgramName, { files }: Configuration, log: Logger): boolean {
  const findings = lintFiles(files, { program, host: hostFacts() })
  for (const { rule, severity, path, line, what, why, fix } of findings) {
    const level = ({ error: 'error', warning: 'warn', note: 'debug' } as const)[severity]
    log[level]({ rule }, `${path}:${line}: ${what} ${why} ${fix}`)
  }
  return findings.some(({ severity }) => severity === 'error')
}

const filesOf = (program: ProgramName): string[] => {
  const { project, also = [] }: { project: string; also?: readonly string[] } = programs[program]
  return [`/etc/${project}/${project}.conf`, ...also]
}
