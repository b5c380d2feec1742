/**
 * The end of a guest's console log, which virtlogd keeps for root alone, in a directory of nova's. Who owns the directory can
 * put anything in the log's place, so what is read is a file with this one name, and no link of either kind.
 */
import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'

/** Something else than a guest's log was to be read. */
export class NotRead extends Error {}

/** At most `length` bytes, base64. A log that is not there is empty. */
export async function consoleTail(path: string, length: number): Promise<string> {
  // Without it a user may make a hard link to any file, and when that file is replaced only the link is left.
  if ((await readFile('/proc/sys/fs/protected_hardlinks', 'utf8')).trim() !== '1')
    throw new NotRead(`${path} is not read: fs.protected_hardlinks is not 1 on this host`)
  try {
    // A named pipe would be waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stat = await file.stat()
    if (!stat.isFile() || stat.nlink !== 1) throw new NotRead(`${path} is no file of its own`)
    const tail = Buffer.alloc(Math.min(stat.size, length))
    const { bytesRead } = await file.read(tail, 0, tail.length, stat.size - tail.length)
    return tail.subarray(0, bytesRead).toString('base64')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    if (code === 'ELOOP') throw new NotRead(`${path} is a link`)
    throw error
  }
}
