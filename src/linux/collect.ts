/** Runs one program to its end and keeps what it said. The privileged helper is made of this too: it imports nothing of ours. */
import { spawn } from 'node:child_process'

export interface CollectOptions {
  /** Written to the program's standard input. */
  input?: string | undefined
  /** Default: a minute. */
  timeoutSeconds?: number | undefined
  env: Readonly<Record<string, string | undefined>>
}

export interface Collected {
  stdout: string
  stderr: string
  /** 128 for one that a signal ended. */
  code: number
}

/** Rejects, with Node's own error, only when the program could not be started. */
export function collect(
  file: string,
  args: readonly string[],
  { input = '', timeoutSeconds = 60, env }: CollectOptions,
): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutSeconds * 1000,
      env: { ...env, LC_ALL: 'C' },
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    // A program that exits without reading its input closes the pipe: its exit code tells more than EPIPE.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.on('error', reject)
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
