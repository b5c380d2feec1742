/** The directories of the host that a private libvirtd mounts its own over. */
import { readdir, readFile, rmdir } from 'node:fs/promises'

/**
 * Removes those that are empty, unless another cloud of this machine has its mount there: the kernel would take that
 * mount away from it without asking.
 */
export async function removeUnused(directories: readonly string[]): Promise<void> {
  const used = await mountPointsOfAll()
  for (const directory of new Set(directories)) {
    if (!used.has(directory)) await removeIfEmpty(directory)
  }
}

/** Mount points in the mount namespaces of all processes. */
async function mountPointsOfAll(): Promise<Set<string>> {
  const points = new Set<string>()
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    for (const line of (await mountsOf(pid)).split('\n')) points.add(line.split(' ')[4] ?? '')
  }
  return points
}

async function mountsOf(pid: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/mountinfo`, 'utf8')
  } catch {
    // It has ended meanwhile, or is a zombie, which has no mounts.
    return ''
  }
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].includes(code)) throw error
  }
}
