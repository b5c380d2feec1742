import { existsSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { resolve } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { newHexId } from '../../base/ids.ts'
import { unfitFor } from '../../compute/virt/libvirt/domain-options.ts'
import { showProgress } from '../terminal/progress.ts'
import { writeCredentials } from './credentials.ts'
import { installMissing, missingPackages } from './packages.ts'
import { assertPortsFree } from './ports.ts'
import { runningProcess, startProcess } from './process.ts'
import {
  type CloudSettings,
  defaultStateDirectory,
  readSecrets,
  readSettings,
  shortHostName,
  writeNewCloud,
} from './settings.ts'
import { welcome } from './welcome.ts'

export interface UpOptions {
  stateDir: string
  listen?: string
  portOffset?: number
  providerCidr?: string
  simulated?: boolean
  hosts?: number
  image?: string
  virtType?: string
  yes?: boolean
}

/** Starts the cloud of a state directory, making it first when it is new; a running one is only shown. */
export async function up(options: UpOptions): Promise<number> {
  const stateDir = resolve(options.stateDir)
  const known = readSettings(stateDir)
  if (known !== undefined) assertSame(known, options)
  if (runningProcess(stateDir) !== undefined && known !== undefined) {
    console.log(`The cloud in ${stateDir} is up already; nothing was changed.\n`)
    console.log(welcome(stateDir, known))
    return 0
  }
  const simulated = known?.simulated ?? decideSimulated(options)
  if (!simulated) {
    await installMissing({ yes: options.yes === true, say: (line) => console.log(line) })
    if (!existsSync('/dev/net/tun')) {
      throw new Fault(
        'unavailable',
        'There is no /dev/net/tun, so guests cannot have a network. Load the module (modprobe tun), or in a container pass the device in; or use --simulated.',
      )
    }
  }
  const settings = known ?? (await newSettings(options, simulated))
  const unfit = simulated ? undefined : await unfitFor(settings.virtType)
  if (unfit !== undefined) throw new Fault('unavailable', unfit)
  await assertPortsFree(settings)
  if (known === undefined) writeNewCloud(stateDir, settings)
  writeCredentials(stateDir, settings, readSecrets(stateDir))
  const progress = showProgress()
  try {
    await startProcess(stateDir, (text) => progress.step(text))
  } catch (error) {
    progress.failed()
    throw error
  }
  progress.done()
  console.log(`\n${welcome(stateDir, settings)}`)
  return 0
}

function decideSimulated(options: UpOptions): boolean {
  if (options.simulated === true) return true
  if (options.hosts !== undefined) {
    throw new Fault('invalid', '--hosts goes with --simulated: real guests run on this one machine.')
  }
  if (process.getuid?.() === 0) return false
  const missing = missingPackages().length > 0 ? ' and some packages are missing' : ''
  console.log(
    `Not root${missing}: starting with simulated hosts and networks. For real guests: sudo ./kilonova up`,
  )
  return true
}

async function newSettings(options: UpOptions, simulated: boolean): Promise<CloudSettings> {
  if (options.image !== undefined && !existsSync(options.image)) {
    throw new Fault('not-found', `The image file ${options.image} is not there.`)
  }
  const id = resolve(options.stateDir) === defaultStateDirectory() ? 'default' : newHexId().slice(0, 8)
  return {
    id,
    listen: options.listen ?? '127.0.0.1',
    portOffset: options.portOffset ?? 0,
    simulated,
    hosts: simulated ? (options.hosts ?? 1) : 1,
    hostName: shortHostName(),
    providerCidr: await providerCidrFor(id, simulated, options.providerCidr),
    virtType: virtTypeOf(options.virtType),
    imageFile: options.image === undefined ? null : resolve(options.image),
  }
}

async function providerCidrFor(id: string, simulated: boolean, asked: string | undefined): Promise<string> {
  if (asked !== undefined && !isIpv4Cidr(asked)) {
    throw new Fault('invalid', `--provider-cidr is an IPv4 range such as 172.24.4.0/24, not ${asked}.`)
  }
  if (simulated) return asked ?? '172.24.4.0/24'
  const { freeProviderCidr } = await import('./host.ts')
  return freeProviderCidr(id, asked)
}

// Room for the gateway, the DHCP server and a guest.
function isIpv4Cidr(text: string): boolean {
  const [address = '', prefix = ''] = text.split('/')
  return isIPv4(address) && /^\d{1,2}$/.test(prefix) && Number(prefix) >= 8 && Number(prefix) <= 29
}

function virtTypeOf(text: string | undefined): CloudSettings['virtType'] {
  if (text === undefined) return 'auto'
  if (text === 'kvm' || text === 'qemu') return text
  throw new Fault('invalid', `--virt-type is kvm or qemu, not ${text}.`)
}

// A cloud keeps what it was made with; silently ignoring an option would be worse than refusing it.
function assertSame(known: CloudSettings, options: UpOptions): void {
  const asked: Partial<CloudSettings> = {}
  if (options.listen !== undefined) asked.listen = options.listen
  if (options.portOffset !== undefined) asked.portOffset = options.portOffset
  if (options.providerCidr !== undefined) asked.providerCidr = options.providerCidr
  if (options.simulated !== undefined) asked.simulated = options.simulated
  if (options.hosts !== undefined) asked.hosts = options.hosts
  if (options.virtType !== undefined) asked.virtType = virtTypeOf(options.virtType)
  for (const [name, value] of Object.entries(asked)) {
    const has = known[name as keyof CloudSettings]
    if (has === value) continue
    throw new Fault(
      'conflict',
      `This cloud was made with ${name} = ${has}, not ${value}. Leave the option out, use another --state-dir, or start afresh with: kilonova down --purge`,
    )
  }
}
