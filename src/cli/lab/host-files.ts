/** A host's own files: a copy of this machine's /etc with what makes it that host, and an empty /var, /root and /tmp. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { privateLibvirtFiles } from '../../compute/virt/libvirt/daemon.ts'
import type { HostPlan, LabPlan } from './plan.ts'
import { unitsOf } from './units.ts'

interface SystemUser {
  name: string
  /** As Debian's packages number them. */
  id: number
  home: string
}

/** What OpenStack's packages make, and the user that libvirt was built for. */
const users: readonly SystemUser[] = [
  { name: 'nova', id: 64060, home: '/var/lib/nova' },
  { name: 'neutron', id: 64061, home: '/var/lib/neutron' },
  { name: 'glance', id: 64062, home: '/var/lib/glance' },
  { name: 'keystone', id: 64063, home: '/var/lib/keystone' },
  { name: 'placement', id: 64064, home: '/var/lib/placement' },
  { name: 'libvirt-qemu', id: 64055, home: '/var/lib/libvirt' },
]

const serviceUsers = users.filter(({ name }) => name !== 'libvirt-qemu').map(({ name }) => name)

/** Of this machine's configuration, what its own services have and a new host has not. */
const notCopied = [
  'systemd/system',
  'rabbitmq',
  'nova',
  'neutron',
  'glance',
  'keystone',
  'placement',
  'libvirt',
]

/** Makes the files of one host in `directory`. */
export function makeHostFiles(directory: string, plan: LabPlan, host: HostPlan): void {
  mkdirSync(directory, { recursive: true })
  const etc = join(directory, 'etc')
  mkdirSync(etc)
  // A cloud on this machine itself may make and remove /etc/libvirt meanwhile.
  const copied = readdirSync('/etc').filter((name) => !notCopied.includes(name))
  execFileSync('cp', ['--archive', `--target-directory=${etc}`, '--', ...copied], { cwd: '/etc' })
  for (const path of notCopied) rmSync(join(etc, path), { recursive: true, force: true })
  writeFileSync(join(etc, 'hostname'), `${host.name}\n`)
  writeFileSync(join(etc, 'hosts'), hostsFile(plan))
  // A copy may be a link to a file that this host's /run has not.
  rmSync(join(etc, 'resolv.conf'), { force: true })
  writeFileSync(join(etc, 'resolv.conf'), '# names are in /etc/hosts\n')
  makeVar(join(directory, 'var'))
  for (const name of ['root', 'tmp']) mkdirSync(join(directory, name), { mode: 0o700 })
  chmodSync(join(directory, 'tmp'), 0o1777)
  addUsers(directory)
  addLibvirt(directory)
  const units = join(etc, 'systemd/system')
  mkdirSync(units, { recursive: true })
  for (const [name, text] of Object.entries(unitsOf(plan, host))) writeFileSync(join(units, name), text)
}

function hostsFile(plan: LabPlan): string {
  const hosts = plan.hosts.map(({ address, name }) => `${address} ${name}`)
  return ['127.0.0.1 localhost', '::1 localhost ip6-localhost', ...hosts, ''].join('\n')
}

function makeVar(directory: string): void {
  for (const name of ['lib/dpkg', 'log/units', 'cache', 'spool']) {
    mkdirSync(join(directory, name), { recursive: true })
  }
  mkdirSync(join(directory, 'tmp'))
  chmodSync(join(directory, 'tmp'), 0o1777)
  symlinkSync('/run', join(directory, 'run'))
  symlinkSync('/run/lock', join(directory, 'lock'))
}

/** The users, and the directories that packages make for them. */
function addUsers(directory: string): void {
  for (const { name, id, home } of users) {
    addLine(join(directory, 'etc/passwd'), name, `${name}:x:${id}:${id}::${home}:/usr/sbin/nologin`)
    addLine(join(directory, 'etc/group'), name, `${name}:x:${id}:`)
    // No password; without a line `su` takes the account for a broken one.
    addLine(join(directory, 'etc/shadow'), name, `${name}:!:19000:0:99999:7:::`)
  }
  for (const name of serviceUsers) {
    const id = idOf(join(directory, 'etc/passwd'), name)
    for (const [path, mode] of [
      [`etc/${name}`, 0o755],
      [`var/lib/${name}`, 0o750],
      [`var/log/${name}`, 0o750],
    ] as const) {
      mkdirSync(join(directory, path), { recursive: true })
      chmodSync(join(directory, path), mode)
      chownSync(join(directory, path), id.user, id.group)
    }
  }
  mkdirSync(join(directory, 'etc/neutron/plugins/ml2'), { recursive: true })
}

/** One that this machine has already keeps its numbers. */
function addLine(file: string, name: string, line: string): void {
  const text = readFileSync(file, 'utf8')
  if (text.split('\n').some((row) => row.startsWith(`${name}:`))) return
  writeFileSync(file, `${text.trimEnd()}\n${line}\n`)
}

function idOf(passwd: string, name: string): { user: number; group: number } {
  const row = readFileSync(passwd, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
  const [, , user, group] = (row ?? '').split(':')
  return { user: Number(user), group: Number(group) }
}

const groupSocket = 'unix_sock_group = "libvirt"\nunix_sock_rw_perms = "0770"'
const knownEmulators = '/var/cache/libvirt/qemu/capabilities'

/** libvirtd's configuration, and what this machine's libvirtd learned of the emulators, which saves seconds. */
function addLibvirt(directory: string): void {
  const etc = join(directory, 'etc/libvirt')
  mkdirSync(etc, { recursive: true })
  for (const [name, text] of Object.entries(privateLibvirtFiles)) writeFileSync(join(etc, name), text)
  // As Debian's package has it: who is in the group may use libvirt.
  addLine(join(directory, 'etc/group'), 'libvirt', 'libvirt:x:64056:')
  const own = privateLibvirtFiles['libvirtd.conf']!.replace(/^unix_sock_rw_perms.*$/m, groupSocket)
  writeFileSync(join(etc, 'libvirtd.conf'), own)
  mkdirSync(join(directory, 'var/log/libvirt'))
  const cache = join(directory, knownEmulators)
  mkdirSync(cache, { recursive: true })
  const known = existsSync(knownEmulators) ? readdirSync(knownEmulators) : []
  for (const name of known) copyFileSync(join(knownEmulators, name), join(cache, name))
}
