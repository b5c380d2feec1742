/**
 * The tap devices of a simulated host as files of a directory, each named as its tap and holding its bridge's name: the
 * simulated hypervisor in one process plugs them, the simulated network in another sees them.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FakeHost } from './fake-host.ts'

type Taps = Pick<FakeHost, 'plugTap' | 'unplugTap'>

/** What a hypervisor does to them. */
export function sharedTaps(directory: string): Taps {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    plugTap(name, bridge) {
      const path = join(directory, name)
      if (readBridge(path) === bridge) return
      writeFileSync(join(directory, `.${name}`), bridge)
      renameSync(join(directory, `.${name}`), path)
    },
    unplugTap: (name) => rmSync(join(directory, name), { force: true }),
  }
}

/** Has a simulated network see them come and go. */
export function watchSharedTaps(directory: string, host: Taps): Disposable {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const look = (name: string): void => {
    const bridge = readBridge(join(directory, name))
    if (bridge === undefined) host.unplugTap(name)
    else host.plugTap(name, bridge)
  }
  const watcher = watch(directory, (_event, name) => {
    if (name !== null && !name.startsWith('.')) look(name)
  })
  for (const name of readdirSync(directory)) if (!name.startsWith('.')) look(name)
  return { [Symbol.dispose]: () => watcher.close() }
}

function readBridge(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
