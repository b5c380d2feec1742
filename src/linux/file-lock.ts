/** Locks that programs of one host see of each other: held by an open file, so that the kernel frees them with the process. */
import { spawn } from 'node:child_process'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '../base/errors.ts'

export interface FileLockOptions {
  /** Called once when another process has the lock. */
  onWait?(): void
  /** Gives up waiting. */
  signal?: AbortSignal
}

/** Takes the lock of a file, which is made with its directory; waits while another has it. Held until disposed of. */
export async function lockFile(path: string, options: FileLockOptions = {}): Promise<AsyncDisposable> {
  let file: FileHandle
  try {
    await mkdir(dirname(path), { recursive: true })
    file = await open(path, 'a', 0o644)
  } catch (error) {
    throw new Fault('unavailable', `The lock ${path} cannot be made`, { path }, error)
  }
  try {
    if (!(await flock(file.fd, ['--nonblock'], options.signal))) {
      options.onWait?.()
      await flock(file.fd, [], options.signal)
    }
  } catch (error) {
    await file.close()
    throw error
  }
  return { [Symbol.asyncDispose]: () => file.close() }
}

/**
 * Node cannot lock files; flock(1) can lock one that it is given open, and the lock is then of everybody who has that same
 * opening: of this process, which stays. False when another has it.
 */
function flock(fd: number, args: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', [...args, '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      ...(signal === undefined ? {} : { signal }),
    })
    child.on('error', (error) => reject(new Fault('unavailable', 'flock could not lock a file', {}, error)))
    child.on('close', (code) => resolve(code === 0))
  })
}
