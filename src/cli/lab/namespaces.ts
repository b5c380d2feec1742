/**
 * The processes that hold a lab's namespaces: one for the switch, one per host, which is the first process (PID 1) of
 * the host. With the first process of a host the kernel ends all others of it, and its mounts and devices go too.
 */
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { sleep } from '../../base/clock.ts'
import { Fault } from '../../base/errors.ts'
import { isMissing } from '../../linux/files.ts'

/** A process for certain: pids are used again, start times are not. */
export interface Holder {
  pid: number
  /** Field 22 of /proc/PID/stat. */
  startTime: string
}

export type NamespaceKind = 'net' | 'mount' | 'uts' | 'ipc' | 'pid'

const startTimeoutSeconds = 30
const endTimeoutSeconds = 30

/** Starts a command in new namespaces, in the background; what it says goes to `log`. */
export async function startHolder(options: {
  kinds: readonly NamespaceKind[]
  command: readonly string[]
  log: string
  ready: (holder: Holder) => Promise<boolean>
}): Promise<Holder> {
  const output = openSync(options.log, 'a', 0o600)
  const flags = options.kinds.map((kind) => `--${kind}`)
  if (options.kinds.includes('mount')) flags.push('--propagation', 'private')
  const parent = spawn('unshare', ['--fork', ...flags, '--', ...options.command], {
    stdio: ['ignore', output, output],
    detached: true,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
  })
  parent.unref()
  let failed: Error | undefined
  parent.on('error', (error) => {
    failed = error
  })
  const deadline = Date.now() + startTimeoutSeconds * 1000
  while (parent.exitCode === null && failed === undefined && Date.now() < deadline) {
    const holder = await childOf(parent.pid)
    if (holder !== undefined && (await options.ready(holder))) return holder
    await sleep(10)
  }
  if (parent.pid !== undefined && parent.exitCode === null) await endHolder(await childOf(parent.pid))
  const said = (await readFile(options.log, 'utf8')).trim()
  throw new Fault(
    'unavailable',
    `${options.command.slice(0, 3).join(' ')} did not start in namespaces of its own: ${failed?.message ?? said}`,
    {},
    failed,
  )
}

/** Whether the very process runs. */
export async function holds(holder: Holder): Promise<boolean> {
  return (await startTimeOf(holder.pid)) === holder.startTime
}

/** Ends the process and with it all that is in its namespaces; returns when they are gone. */
export async function endHolder(holder: Holder | undefined): Promise<void> {
  if (holder === undefined || !(await holds(holder))) return
  process.kill(holder.pid, 'SIGKILL')
  const deadline = Date.now() + endTimeoutSeconds * 1000
  while (await holds(holder)) {
    if (Date.now() > deadline) throw new Fault('unavailable', `Process ${holder.pid} does not end.`)
    await sleep(10)
  }
}

async function childOf(pid: number | undefined): Promise<Holder | undefined> {
  if (pid === undefined) return undefined
  const children = await readIfThere(`/proc/${pid}/task/${pid}/children`)
  const child = Number(children?.trim().split(' ')[0])
  if (!Number.isInteger(child) || child <= 1) return undefined
  const startTime = await startTimeOf(child)
  return startTime === undefined ? undefined : { pid: child, startTime }
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  // The name in brackets may have blanks; the fields after it have none. The third is the state.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
