/** What `kilonova init` knows of a host: its settings, the secrets, and which files it wrote. One file, for root alone. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import {
  computeFiles,
  controllerFiles,
  type Database,
  type HostFile,
  type HostSettings,
  openrc,
} from './config-files.ts'
import type { ComputeSecrets, Secrets } from './secrets.ts'

interface Common {
  /** Hash of what was last written, by the path under `/etc`. */
  written: Record<string, string>
}

export interface ControllerStore extends Common {
  role: 'controller'
  settings: HostSettings & { database: Database }
  secrets: Secrets
  /** A rotation that was begun: what is rotated, which steps are done, which files are others now. */
  rotation?: { names: string[]; done: string[]; changed: string[] }
}

export interface ComputeStore extends Common {
  role: 'compute'
  settings: HostSettings
  secrets: ComputeSecrets
}

export type Store = ControllerStore | ComputeStore

/** What a compute host is told by the controller's `compute.secrets`. */
export interface ComputeInvitation {
  controller: string
  secrets: ComputeSecrets
}

export const storeFile = (directory: string): string => join(directory, 'kilonova/secrets.json')

export function readStore(directory: string): Store | undefined {
  const file = storeFile(directory)
  return existsSync(file) ? readJson<Store>(file) : undefined
}

/** The controller's; a Fault says where there is none. */
export function needController(directory: string): ControllerStore {
  const store = readStore(directory)
  if (store?.role === 'controller') return store
  const what = store === undefined ? 'There is no' : 'This is a compute host, by'
  throw new Fault(
    'not-found',
    `${what} ${storeFile(directory)}: run this on a controller that kilonova init controller set up.`,
  )
}

export const writeStore = (directory: string, store: Store): void =>
  writePrivate(storeFile(directory), `${JSON.stringify(store, undefined, 2)}\n`)

export function readInvitation(file: string): ComputeInvitation {
  if (!existsSync(file))
    throw new Fault('not-found', `There is no ${file}; it is the controller's /etc/kilonova/compute.secrets.`)
  const { controller, secrets } = readJson<Partial<ComputeInvitation>>(file)
  const passwords = [secrets?.rabbit, secrets?.user?.nova, secrets?.user?.neutron, secrets?.user?.placement]
  if (
    typeof controller !== 'string' ||
    secrets === undefined ||
    !passwords.every((one) => /^\w+$/.test(one ?? ''))
  )
    throw new Fault('invalid', `${file} is no compute.secrets, which kilonova init controller writes.`)
  return { controller, secrets }
}

function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    throw new Fault('invalid', `${file} cannot be read as JSON.`, {}, error)
  }
}

/** All files that the store comes to. Root's are beside the store. */
export function filesOf(store: Store): HostFile[] {
  if (store.role === 'compute') return computeFiles(store.settings, store.secrets)
  const { settings, secrets } = store
  const { placement, nova, neutron } = secrets.user
  const invitation: ComputeInvitation = {
    controller: settings.controller,
    secrets: { rabbit: secrets.rabbit, user: { placement, nova, neutron } },
  }
  return [
    ...controllerFiles(settings, secrets),
    { path: '/etc/kilonova/admin-openrc', owner: 'root', text: openrc(settings.controller, secrets.admin) },
    {
      path: '/etc/kilonova/compute.secrets',
      owner: 'root',
      text: `${JSON.stringify(invitation, undefined, 2)}\n`,
    },
  ]
}

/** At no moment is it half written, or readable by others. */
function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.new`
  writeFileSync(fresh, text, { mode: 0o600, flush: true })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
}
