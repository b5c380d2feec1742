/** The end of a guest's serial console. */
import { open } from 'node:fs/promises'
import type { Run } from '../../../linux/run.ts'

/** As much as nova shows. */
const longestConsole = 100 * 1024

/** The last 100 KiB; virtlogd moves a full log to `.0`, so the beginning may have to come from there. */
export async function readConsoleLog(path: string, run: Run): Promise<string> {
  const current = await readTail(path, longestConsole, run)
  const missing = longestConsole - current.length
  const older = missing > 0 ? await readTail(`${path}.0`, missing, run) : Buffer.alloc(0)
  return Buffer.concat([older, current]).toString('utf8')
}

async function readTail(path: string, length: number, run: Run): Promise<Buffer> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const tail = Buffer.alloc(Math.min(size, length))
    const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length)
    return tail.subarray(0, bytesRead)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return Buffer.alloc(0)
    if (code !== 'EACCES') throw error
    // virtlogd is root and lets nobody else read: the privileged helper does.
    const { stdout } = await run('console-tail', [path, String(length)])
    return Buffer.from(stdout, 'base64')
  }
}
