/** Runs the host's tools: argument arrays only, never a shell; each command logged with its time and outcome. */
import { Fault } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { collect } from './collect.ts'

export interface RunOptions {
  /** Written to the command's standard input. */
  input?: string
  /** Network namespace to run in (`ip netns exec`). */
  netns?: string
  timeoutSeconds?: number
  /** Exit codes that are no error, besides 0. */
  okCodes?: readonly number[]
}

export interface RunResult {
  stdout: string
  stderr: string
  code: number
}

/** Runs one command to its end; the way to the host's tools that tests replace by `linux/fake`. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>

/** Does what needs root's rights for a program without them: see `rootwrap/client.ts`. */
export interface RootHelper {
  /** Whether a command is one that the helper is there for; all others need no root. */
  takes(command: string): boolean
  run(command: string, args: readonly string[], options: Omit<RunOptions, 'okCodes'>): Promise<RunResult>
}

/**
 * A `Run` on this host. Rejects with a Fault that names the command, its exit code and what it said. `helper` runs, for
 * a program that is not root, the commands that only root may.
 */
export function hostRun(log: Logger, helper?: RootHelper): Run {
  return async (command, args, options = {}) => {
    const started = performance.now()
    const result =
      helper?.takes(command) === true
        ? await helper.run(command, args, options)
        : await runHere(command, args, options)
    const milliseconds = Math.round(performance.now() - started)
    const { netns } = options
    log.debug({ command, args, netns, code: result.code, milliseconds }, 'ran a command')
    if (result.code !== 0 && !options.okCodes?.includes(result.code)) {
      const said = result.stderr.trim() || result.stdout.trim()
      const where = netns === undefined ? '' : ` in ${netns}`
      throw new Fault(
        'unavailable',
        `${command} ${args.join(' ')}${where} failed with exit code ${result.code}: ${said}`,
        { command, args, code: result.code, stderr: result.stderr },
      )
    }
    return result
  }
}

async function runHere(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { netns, input, timeoutSeconds } = options
  const [file, argv] =
    netns === undefined ? [command, args] : ['ip', ['netns', 'exec', netns, command, ...args]]
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
  try {
    return await collect(file, argv, { input, timeoutSeconds, env })
  } catch (error) {
    throw new Fault(
      'unavailable',
      `${file} could not be started; is its package installed?`,
      { command: file },
      error,
    )
  }
}
