/** Finds or starts the libvirtd that guests run under: the system's where it answers, else one of our own. */
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sleep } from '../../../base/clock.ts'
import { Fault, isFault } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Run } from '../../../linux/run.ts'
import { hasHardwareVirtualization } from './hardware-virtualization.ts'
import { isThere } from './instance-files.ts'
import { removeUnused } from './mount-points.ts'
import { Connection } from './rpc/connection.ts'

export interface LibvirtDaemonOptions {
  stateDir: string
  log: Logger
  run: Run
  /** Start one of our own even where the system's answers. */
  alwaysPrivate?: boolean
}

export interface LibvirtDaemon {
  socketPath: string
  /** `private` was started by `startLibvirt` and ends with `stopLibvirt`. */
  kind: 'system' | 'private'
}

const systemSockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock']
const packageCapabilities = '/var/cache/libvirt/qemu/capabilities'
const startTimeoutSeconds = 60
const stopTimeoutSeconds = 20

/** `sun_path` has 108 bytes with the final zero. */
const longestSocketPath = 107

const libvirtdConf = `listen_tls = 0
listen_tcp = 0
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
max_client_requests = 64
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
`

/** What this leaves out costs time at every start of a guest: cgroups, a /dev per guest, owners remembered per file. */
const qemuConf = `security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "logd"
`

/** The configuration of a libvirtd with its virtlogd, by file name in /etc/libvirt. */
export const privateLibvirtFiles: Readonly<Record<string, string>> = {
  'libvirtd.conf': libvirtdConf,
  'qemu.conf': qemuConf,
  'virtlogd.conf': 'log_outputs = "3:file:/var/log/libvirt/virtlogd.log"\n',
}

const directoryOf = (stateDir: string) => join(stateDir, 'libvirt')

/**
 * The libvirtd for this state directory. One that was started for it before is started again even where the system's
 * answers by now, since its guests are known to no other.
 */
export async function startLibvirt(options: LibvirtDaemonOptions): Promise<LibvirtDaemon> {
  const directory = directoryOf(options.stateDir)
  const socketPath = join(directory, 'run', 'libvirt-sock')
  if (await Connection.answers(socketPath)) {
    if ((await readPid(directory, 'virtlogd')) !== undefined) return { socketPath, kind: 'private' }
    // No guest can start without the one that writes its console; both come back together.
    await stopDaemon(directory, 'libvirtd')
  }
  if (options.alwaysPrivate !== true && !(await isThere(join(directory, 'etc')))) {
    for (const system of systemSockets) {
      if (await Connection.answers(system)) return { socketPath: system, kind: 'system' }
    }
  }
  if (Buffer.byteLength(socketPath) > longestSocketPath) {
    throw new Fault('invalid', `The state directory's path is too long for a Unix socket: ${socketPath}`)
  }
  await configure(directory)
  const script = fileURLToPath(new URL('./private-daemons.sh', import.meta.url))
  const kvm = (await hasHardwareVirtualization()) ? 'keep-kvm' : 'hide-kvm'
  try {
    await options.run('unshare', ['--mount', '--propagation', 'private', 'sh', script, directory, kvm])
    await waitUntil(
      () => Connection.answers(socketPath),
      startTimeoutSeconds,
      `libvirtd does not answer at ${socketPath}`,
    )
  } catch (error) {
    // Another start of the same state directory may have been faster.
    if (!(await Connection.answers(socketPath))) throw await explain(directory, error)
  }
  options.log.info({ socket: socketPath }, 'started libvirtd')
  return { socketPath, kind: 'private' }
}

/**
 * Ends the daemons that `startLibvirt` started for this state directory; guests run on. With `purge` their directory
 * goes too, which is only right when no guest is left.
 */
export async function stopLibvirt(
  options: Omit<LibvirtDaemonOptions, 'run'> & { purge?: boolean },
): Promise<void> {
  const directory = directoryOf(options.stateDir)
  for (const program of ['libvirtd', 'virtlogd']) await stopDaemon(directory, program)
  if (options.purge !== true) return
  const made = (await readIfThere(join(directory, 'made-directories'))).split('\n')
  await removeUnused(['/run/libvirt', ...made.filter((path) => path !== '')])
  await rm(directory, { recursive: true, force: true })
}

async function configure(directory: string): Promise<void> {
  const etc = join(directory, 'etc')
  const capabilities = join(directory, 'cache', 'qemu', 'capabilities')
  await mkdir(etc, { recursive: true })
  await chmod(directory, 0o711)
  for (const [name, text] of Object.entries(privateLibvirtFiles)) await writeFile(join(etc, name), text)
  if (await isThere(capabilities)) return
  // What the system's libvirtd learned of the emulators saves seconds; libvirtd checks whether it still holds.
  await mkdir(capabilities, { recursive: true })
  const known = (await isThere(packageCapabilities)) ? await readdir(packageCapabilities) : []
  for (const name of known) await copyFile(join(packageCapabilities, name), join(capabilities, name))
}

async function stopDaemon(directory: string, program: string): Promise<void> {
  const pid = await readPid(directory, program)
  if (pid === undefined) return
  process.kill(pid, 'SIGTERM')
  try {
    const gone = async () => (await readPid(directory, program)) === undefined
    await waitUntil(gone, stopTimeoutSeconds, `${program} (pid ${pid}) does not end`)
  } catch (error) {
    if (!isFault(error)) throw error
    process.kill(pid, 'SIGKILL')
  }
}

/** The pid that the daemon wrote down, if a process of that program has it. */
async function readPid(directory: string, program: string): Promise<number | undefined> {
  const pid = Number((await readIfThere(join(directory, 'run', `${program}.pid`))).trim())
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  const status = await readIfThere(`/proc/${pid}/status`)
  // A zombie is a process that has ended, and may stay one for seconds where init is slow.
  const runs = status.startsWith(`Name:\t${program}\n`) && !/^State:\s+Z/m.test(status)
  return runs ? pid : undefined
}

async function explain(directory: string, error: unknown): Promise<Fault> {
  const log = await readIfThere(join(directory, 'log', 'libvirtd.log'))
  const last = log.trim().split('\n').slice(-3).join('\n')
  return new Fault(
    'unavailable',
    `libvirtd could not be started; are the packages libvirt-daemon and libvirt-daemon-driver-qemu installed? ${last}`,
    {},
    error,
  )
}

async function waitUntil(done: () => Promise<boolean>, seconds: number, complaint: string): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (!(await done())) {
    if (Date.now() > deadline) throw new Fault('unavailable', `${complaint} after ${seconds} s`)
    await sleep(20)
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
