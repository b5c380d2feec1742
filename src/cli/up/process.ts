/** The background process of a cloud: who it is, whether it lives, how it is started and stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sleep } from '../../base/clock.ts'
import { Fault } from '../../base/errors.ts'
import { layout, writePrivateFile } from './settings.ts'

interface Running {
  pid: number
  /** The process's start time in clock ticks: a number that a later process with the same pid does not share. */
  startTicks: string
  startedAt: string
}

/** What the background process tells `up` while it starts. */
export type StartMessage =
  | { kind: 'progress'; text: string }
  | { kind: 'ready' }
  | { kind: 'failed'; message: string }

/** Called by the background process itself. */
export function recordProcess(stateDir: string): void {
  const file = layout(stateDir).process
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const record: Running = {
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
    startedAt: new Date().toISOString(),
  }
  writePrivateFile(file, JSON.stringify(record))
}

export function forgetProcess(stateDir: string): void {
  rmSync(layout(stateDir).process, { force: true })
}

/** The cloud's process, when it is alive. */
export function runningProcess(stateDir: string): Running | undefined {
  const file = layout(stateDir).process
  if (!existsSync(file)) return undefined
  const record = JSON.parse(readFileSync(file, 'utf8')) as Running
  return startTicksOf(record.pid) === record.startTicks ? record : undefined
}

function startTicksOf(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  const stat = readFileSync(file, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}

/** Starts the cloud in the background and resolves when it is ready; rejects with its reason when it fails. */
export async function startProcess(stateDir: string, onProgress: (text: string) => void): Promise<void> {
  const log = layout(stateDir).log
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 })
  const out = openSync(`${log}.stderr`, 'a', 0o600)
  const main = join(import.meta.dirname, '../main.ts')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, 'serve', '--state-dir', stateDir],
    {
      detached: true,
      stdio: ['ignore', out, out, 'ipc'],
      cwd: '/',
      // The C library would keep the 16 MiB of every password hash, once for each thread, for ever.
      env: { MALLOC_MMAP_THRESHOLD_: '1048576', ...process.env },
    },
  )
  closeSync(out)
  try {
    await untilReady(child, onProgress, `${log}.stderr`)
  } finally {
    if (child.connected) child.disconnect()
    child.unref()
  }
}

function untilReady(child: ChildProcess, onProgress: (text: string) => void, errors: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: StartMessage) => {
      if (message.kind === 'progress') onProgress(message.text)
      else if (message.kind === 'ready') resolve()
      else reject(new Fault('unavailable', message.message))
    })
    child.on('error', (error) =>
      reject(new Fault('unavailable', 'The cloud could not be started', {}, error)),
    )
    child.on('exit', (code, signal) => {
      const last = readFileSync(errors, 'utf8').trim().split('\n').slice(-5).join('\n')
      reject(
        new Fault(
          'unavailable',
          `The cloud stopped while it started (${signal ?? `exit code ${code}`}): ${last}`,
        ),
      )
    })
  })
}

/** Asks the process to end and waits; one that does not end within `seconds` is killed. */
export async function stopProcess(stateDir: string, seconds: number): Promise<boolean> {
  const running = runningProcess(stateDir)
  if (running === undefined) return false
  process.kill(running.pid, 'SIGTERM')
  for (let waited = 0; waited < seconds * 20; waited++) {
    if (runningProcess(stateDir) === undefined) return true
    await sleep(50)
  }
  process.kill(running.pid, 'SIGKILL')
  while (runningProcess(stateDir) !== undefined) await sleep(20)
  return true
}
