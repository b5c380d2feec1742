/** Where a guest's files are. The names are nova's, so that an operator finds what he expects. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'

export interface InstanceFiles {
  directory: string
  root: string
  ephemeral: string
  swap: string
  configDrive: string
  consoleLog: string
}

/** `instances/<uuid>/disk` and its siblings. */
export function instanceFiles(instancesPath: string, uuid: string): InstanceFiles {
  const directory = join(instancesPath, uuid)
  return {
    directory,
    root: join(directory, 'disk'),
    ephemeral: join(directory, 'disk.eph0'),
    swap: join(directory, 'disk.swap'),
    configDrive: join(directory, 'disk.config'),
    consoleLog: join(directory, 'console.log'),
  }
}

/** True when the path exists. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
