/**
 * Daemons of the host that outlive this program: dnsmasq and haproxy put themselves into the background and write a
 * pid file. After a restart they are known again by that file, and by their command line, since pids are reused.
 */
import { readFile, rm } from 'node:fs/promises'
import { sleep } from '../base/clock.ts'
import { Fault } from '../base/errors.ts'
import { isMissing } from './files.ts'
import type { Run } from './run.ts'

export interface Daemon {
  command: string
  args: readonly string[]
  pidFile: string
  /** A path in the daemon's arguments that no other process has. */
  mark: string
  netns?: string
}

/** The pid of the daemon if it runs. */
export async function daemonPid(daemon: Pick<Daemon, 'pidFile' | 'mark'>): Promise<number | undefined> {
  const text = await readFile(daemon.pidFile, 'utf8').catch(missing)
  const pid = Number(text?.trim())
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(missing)
  return commandLine?.includes(daemon.mark) ? pid : undefined
}

function missing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}

/** Starts a daemon; returns when it has put itself into the background, which is when it answers. */
export async function startDaemon(run: Run, daemon: Daemon): Promise<void> {
  await run(daemon.command, daemon.args, daemon.netns === undefined ? {} : { netns: daemon.netns })
}

/** Sends SIGHUP: read your files again. */
export function reloadDaemon(pid: number): void {
  signal(pid, 'SIGHUP')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    if (code !== 'EPERM') throw error
    throw new Fault(
      'forbidden',
      `Process ${pid} is another user's: an agent that ran as that user, or as root, started it. End it once by hand, as root (kill ${pid}); the agent then starts its own.`,
      { pid },
      error,
    )
  }
}

/** Ends a daemon and waits until it is gone. One that does not run is no error. */
export async function stopDaemon(daemon: Pick<Daemon, 'pidFile' | 'mark'>): Promise<void> {
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    const pid = await daemonPid(daemon)
    if (pid === undefined) break
    signal(pid, name)
    for (let wait = 0; wait < 100 && (await daemonPid(daemon)) !== undefined; wait++) await sleep(20)
  }
  await rm(daemon.pidFile, { force: true })
}
