/** `kilonova init`: the configuration files of a host of several, with secrets that are made once. */
import { lstatSync, symlinkSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { silentLogger } from '../../base/log.ts'
import { hostRun, type Run } from '../../linux/run.ts'
import { ownAddress, resolveHost } from './address.ts'
import type { Database, HostSettings } from './config-files.ts'
import { computeSteps, controllerSteps } from './next-steps.ts'
import { chooseNic, describeNics, readNics, warningFor } from './nics.ts'
import { newSecrets } from './secrets.ts'
import { filesOf, readInvitation, readStore, type Store, storeFile, writeStore } from './store.ts'
import { refuseChangedByHand, writeFiles } from './write-files.ts'

export interface InitOptions {
  /** In place of `/etc`. */
  directory: string
  controller?: string
  /** This host's own. */
  address?: string
  database?: Database
  interface?: string
  /** The controller's `compute.secrets`. */
  secrets?: string
  force?: boolean
  /** Take a NIC that carries the host's own traffic. */
  yes?: boolean
}

/** Gives the exit code. Again: keeps the secrets and what is not told anew. `run` reaches the host's tools. */
export async function init(
  role: 'controller' | 'compute',
  options: InitOptions,
  run: Run = hostRun(silentLogger),
): Promise<number> {
  const { directory } = options
  const before = readStore(directory)
  if (before !== undefined && before.role !== role) {
    throw new Fault(
      'conflict',
      `This host is a ${before.role} host, by ${storeFile(directory)}. To begin anew move that file away.`,
    )
  }
  const store = await decide(role, before, options, run)
  const writing = { directory, written: store.written, force: options.force === true }
  const files = filesOf(store)
  // Before the store is written, so that a refusal changes nothing at all.
  refuseChangedByHand(files, writing)
  // And the store before the files: a secret that is in a file is never lost.
  writeStore(directory, store)
  const { wrote, missingGroups } = writeFiles(files, writing)
  if (role === 'controller') linkPlugin(directory)
  writeStore(directory, store)
  tell(store, { wrote, missingGroups, directory, count: files.length })
  return 0
}

async function decide(
  role: 'controller' | 'compute',
  before: Store | undefined,
  options: InitOptions,
  run: Run,
): Promise<Store> {
  const invitation = options.secrets === undefined ? undefined : readInvitation(options.secrets)
  const controller = options.controller ?? invitation?.controller ?? before?.settings.controller ?? hostname()
  if (isIP(controller) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(controller))
    throw new Fault('invalid', `--controller must be a host's name or its address: ${controller} is neither.`)
  const settings = await settingsOf(controller, before, options, run)
  const written = before?.written ?? {}
  if (role === 'controller') {
    const known = before?.role === 'controller' ? before : undefined
    const database = options.database ?? known?.settings.database ?? 'mariadb'
    return {
      ...known,
      role,
      settings: { ...settings, database },
      secrets: known?.secrets ?? newSecrets(),
      written,
    }
  }
  const secrets = invitation?.secrets ?? (before?.role === 'compute' ? before.secrets : undefined)
  if (secrets === undefined) {
    throw new Fault(
      'invalid',
      "A compute host has its secrets from the controller: copy /etc/kilonova/compute.secrets from there, and name it with --secrets. It lets its reader act as OpenStack's services.",
    )
  }
  return { role, settings, secrets, written }
}

async function settingsOf(
  controller: string,
  before: Store | undefined,
  options: InitOptions,
  run: Run,
): Promise<HostSettings> {
  const nics = await readNics(run)
  console.log(['NICs of this host:', ...describeNics(nics)].join('\n'))
  const isSettled = options.interface === undefined && before !== undefined
  // Once its network is in use the NIC is a port of a bridge, and no longer what it was when it was chosen.
  const nic = isSettled ? undefined : chooseNic(nics, options.interface, options.yes)
  const warning = nic && warningFor(nic)
  if (warning !== undefined) console.log(`Beware: ${warning}`)
  const providerInterface = nic?.name ?? before?.settings.providerInterface ?? ''
  console.log(`The guests' flat network, provider, is on ${providerInterface}.`)
  const resolved = await resolveHost(controller)
  const address = options.address ?? before?.settings.address ?? (await ownAddress(run, resolved, nics))
  if (address === undefined || isIP(address) === 0)
    throw new Fault(
      'invalid',
      `This host's own address is not known (${address ?? 'none'}): --address ADDRESS`,
    )
  if (resolved === undefined)
    console.log(`Beware: ${controller} does not lead to the controller from here; put it into /etc/hosts.`)
  return { controller, address, providerInterface }
}

/** neutron-server reads the plugin's file under this name. */
function linkPlugin(directory: string): void {
  const link = join(directory, 'neutron/plugin.ini')
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync('plugins/ml2/ml2_conf.ini', link)
}

function tell(
  store: Store,
  done: { wrote: readonly string[]; missingGroups: readonly string[]; directory: string; count: number },
): void {
  const { directory, wrote, missingGroups, count } = done
  const { settings } = store
  console.log(`This host is ${settings.address}, the controller ${settings.controller}.`)
  console.log(
    [`${wrote.length} of ${count} files written anew:`, ...wrote.map((path) => `  ${path}`)].join('\n'),
  )
  console.log(`The secrets are in ${storeFile(directory)}, for root alone.`)
  if (missingGroups.length > 0) {
    const names = missingGroups.join(', ')
    console.log(
      `There are no users ${names} yet, so their services cannot read these files. kilonova units says how to make them; then run this again.`,
    )
  }
  const steps = store.role === 'controller' ? controllerSteps(store, directory) : computeSteps()
  console.log(['What is next, as root:', ...steps.map((step) => `  ${step}`)].join('\n'))
}
