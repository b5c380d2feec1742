/** The guest's root file system as a directory tree: busybox, dropbear with its libraries, and our scripts. */
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'
import { guestFile, guestFiles } from './guest-files.ts'
import { installModules, type KernelModule } from './kernel-modules.ts'

const directories = [
  'bin',
  'dev',
  'etc/dropbear',
  'home/cirros',
  'home/kilonova',
  'lib64',
  'mnt',
  'proc',
  'root',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr/bin',
  'usr/lib',
  'usr/sbin',
  'var/lib/kilonova',
  'var/log',
]

/** Everybody is root: there is no sudo for busybox, and clients expect a login that may do all. */
const users = [
  ['root', '/root'],
  ['kilonova', '/home/kilonova'],
  ['cirros', '/home/cirros'],
] as const

const plainFiles: Readonly<Record<string, string>> = {
  'etc/passwd': users.map(([name, home]) => `${name}:x:0:0:${name}:${home}:/bin/sh\n`).join(''),
  // No password until metadata bring one: `admin_pass`.
  'etc/shadow': users.map(([name]) => `${name}:*:19000:0:99999:7:::\n`).join(''),
  'etc/group': 'root:x:0:\n',
  // dropbear lets nobody in whose shell is not listed.
  'etc/shells': '/bin/sh\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/hostname': 'kilonova-guest\n',
  'etc/profile': 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n',
  'etc/os-release': 'ID=kilonova-guest\nNAME="Kilonova guest"\nPRETTY_NAME="Kilonova guest"\n',
}

const programs = ['usr/sbin/dropbear', 'usr/bin/dropbearkey'] as const

const libraries = [
  'libc.so.6',
  'libcrypt.so.1',
  'libtomcrypt.so.1',
  'libtommath.so.1',
  'libgmp.so.10',
  'libz.so.1',
] as const

/** Fills `root`, an empty directory. */
export async function buildRootTree(
  root: string,
  unpacked: string,
  version: string,
  modules: readonly KernelModule[],
  run: Run,
): Promise<void> {
  for (const directory of directories) await mkdir(join(root, directory), { recursive: true })
  await chmod(join(root, 'root'), 0o700)
  for (const [path, content] of Object.entries(plainFiles)) await writeFile(join(root, path), content)
  await chmod(join(root, 'etc/shadow'), 0o600)
  await installBusybox(root, unpacked, run)
  for (const path of programs) await install(join(unpacked, path), join(root, path), 0o755)
  await installLibraries(root, unpacked)
  await installModules(root, version, modules)
  for (const { source, target, mode } of guestFiles) {
    await mkdir(dirname(join(root, target)), { recursive: true })
    await writeFile(join(root, target), await guestFile(source))
    await chmod(join(root, target), mode)
  }
}

async function installBusybox(root: string, unpacked: string, run: Run): Promise<void> {
  const busybox = join(unpacked, 'bin', 'busybox')
  await install(busybox, join(root, 'bin', 'busybox'), 0o755)
  // Run here to learn its commands: a static program of this machine's own kind.
  const { stdout } = await run(busybox, ['--list-full'])
  for (const path of stdout.split('\n')) {
    if (path === '' || path === 'bin/busybox') continue
    await mkdir(dirname(join(root, path)), { recursive: true })
    await symlink('/bin/busybox', join(root, path))
  }
}

async function installLibraries(root: string, unpacked: string): Promise<void> {
  const places = ['lib', 'usr/lib'].map((place) => join(unpacked, place, 'x86_64-linux-gnu'))
  for (const library of libraries) {
    await install(await findLibrary(places, library), join(root, 'usr/lib', library), 0o755)
  }
  const loader = 'ld-linux-x86-64.so.2'
  await install(await findLibrary(places, loader), join(root, 'lib64', loader), 0o755)
}

/** The file that a library's name leads to: packages bring `libz.so.1.2.13`, and mostly a link to it. */
async function findLibrary(places: readonly string[], name: string): Promise<string> {
  for (const place of places) {
    const names: string[] = await readdir(place)
    if (names.includes(name)) return join(place, name)
  }
  throw new Fault('unavailable', `None of the packages of the guest image brings ${name}.`)
}

async function install(source: string, target: string, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await copyFile(source, target)
  await chmod(target, mode)
}
