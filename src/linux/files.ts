/** Small files of the agents, written so that a reader never sees half of one. */
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** True when an error says that a file, or the process behind it in /proc, is not there. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}

/** Writes a file unless it holds just that; says whether it wrote. */
export async function writeIfChanged(path: string, text: string): Promise<boolean> {
  const current = await readFile(path, 'utf8').catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
  if (current === text) return false
  await writeFile(`${path}.new`, text, { mode: 0o644 })
  await rename(`${path}.new`, path)
  return true
}

/** Whether a process without root's rights can reach what is in this directory. */
export async function isReachableByOthers(directory: string): Promise<boolean> {
  for (let path = directory; ; path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return false
    if (path === dirname(path)) return true
  }
}
