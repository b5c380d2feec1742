/** Runs programs on a lab's host, with the environment of root's login there. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import type { Holder } from './namespaces.ts'

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface OnHostOptions {
  /** Run as this user of the host instead of root. */
  user?: string
  env?: Readonly<Record<string, string>>
  /** Written to the program's standard input. */
  input?: string
  timeoutSeconds?: number
}

const path = '/run/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The arguments of `nsenter` that run a program on a host. */
export function enterArguments(
  holder: Holder,
  command: readonly string[],
  options: Pick<OnHostOptions, 'user' | 'env'> = {},
): string[] {
  const kinds = ['--mount', '--net', '--uts', '--ipc', '--pid']
  const environment: Record<string, string> = {
    HOME: '/root',
    PATH: path,
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    USER: 'root',
    TERM: process.env['TERM'] ?? 'dumb',
    ...options.env,
  }
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const as = options.user === undefined ? [] : ['runuser', '-u', options.user, '--']
  return [
    `--target=${holder.pid}`,
    ...kinds,
    '--',
    '/usr/bin/env',
    '-i',
    '--chdir=/root',
    ...settings,
    ...as,
    ...command,
  ]
}

/** Runs a program on a host to its end. A code other than 0 is part of the outcome, not an error. */
export function runOnHost(
  holder: Holder,
  command: readonly string[],
  options: OnHostOptions = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const settings = { maxBuffer: 64 * 1024 * 1024, timeout: (options.timeoutSeconds ?? 120) * 1000 }
    const child = execFile(
      'nsenter',
      enterArguments(holder, command, options),
      settings,
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128
        resolve({ code, stdout, stderr: error !== null && stderr === '' ? error.message : stderr })
      },
    )
    // A program that does not read its input closes the pipe; its exit code says how it went.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
  })
}

/** Runs a program on a host with this terminal; gives its exit code. */
export function runInTerminal(holder: Holder, command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', enterArguments(holder, command), { stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 128))
  })
}

/** Starts a program on a host that goes on while this one does: a listener, a capture, a load. */
export function spawnOnHost(holder: Holder, command: readonly string[]): ChildProcess {
  return spawn('nsenter', enterArguments(holder, command), { stdio: ['pipe', 'pipe', 'pipe'] })
}
