import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Has Node keep what it compiles of our code, beneath the home of the process's user: what lies there is run, and Node's
 * default is in a directory that every user of the machine may write to. Without a home nothing is kept.
 */
export function keepCompiled(): void {
  const caches = process.env['XDG_CACHE_HOME'] || join(home() ?? '', '.cache')
  if (caches.startsWith('/')) enableCompileCache(join(caches, 'kilonova'))
}

function home(): string | undefined {
  try {
    return homedir()
  } catch {
    // A user that the system has no entry of.
    return undefined
  }
}
