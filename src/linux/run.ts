/** Runs the host's tools: argument arrays only, never a shell; each command logged with its time and outcome. */
import { spawn } from 'node:child_process'
import { Fault } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'

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

/** A `Run` on this host. Rejects with a Fault that names the command, its exit code and what it said. */
export function hostRun(log: Logger): Run {
  return async (command, args, options = {}) => {
    const [file, argv] =
      options.netns === undefined
        ? [command, args]
        : ['ip', ['netns', 'exec', options.netns, command, ...args]]
    const started = performance.now()
    const result = await collect(file, argv, options)
    const milliseconds = Math.round(performance.now() - started)
    log.debug({ command: file, args: argv, code: result.code, milliseconds }, 'ran a command')
    if (result.code !== 0 && !options.okCodes?.includes(result.code)) {
      const said = result.stderr.trim() || result.stdout.trim()
      throw new Fault(
        'unavailable',
        `${file} ${argv.join(' ')} failed with exit code ${result.code}: ${said}`,
        {
          command: file,
          args: argv,
          code: result.code,
          stderr: result.stderr,
        },
      )
    }
    return result
  }
}

function collect(file: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: (options.timeoutSeconds ?? 60) * 1000,
      env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    // A command that exits without reading its input closes the pipe: its exit code tells more than EPIPE.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    child.on('error', (error) =>
      reject(
        new Fault(
          'unavailable',
          `${file} could not be started; is its package installed?`,
          { command: file },
          error,
        ),
      ),
    )
    child.on('close', (code, signal) => {
      const text = Buffer.concat(stderr).toString()
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: signal === null ? text : `${text}killed by ${signal}`,
        code: code ?? 128,
      })
    })
  })
}
