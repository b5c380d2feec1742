/** The distribution's packages that real guests and networks need. */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Fault } from '../../base/errors.ts'
import { installLine } from './distribution.ts'

export interface Need {
  /** As Debian names it. */
  package: string
  /** As Fedora and RHEL do, where that differs. */
  dnf?: string
  /** Present when one of these files is. */
  files: readonly string[]
  for: string
  /** What is lost without it, where a cloud can do without. */
  without?: string
}

const libvirtDrivers = ['lib/x86_64-linux-gnu', 'lib/aarch64-linux-gnu', 'lib64'].map(
  (directory) => `/usr/${directory}/libvirt/connection-driver`,
)
/** Where Fedora and RHEL have QEMU. */
const kvm = '/usr/libexec/qemu-kvm'

/** Where a program may be. */
export const inPath = (...names: string[]): string[] =>
  names.flatMap((name) =>
    ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((directory) => `${directory}/${name}`),
  )

/** What real guests and networks need. */
export const cloudNeeds: readonly Need[] = [
  process.arch === 'arm64'
    ? {
        package: 'qemu-system-arm',
        dnf: 'qemu-kvm',
        files: [...inPath('qemu-system-aarch64'), kvm],
        for: 'guests',
      }
    : {
        package: 'qemu-system-x86',
        dnf: 'qemu-kvm',
        files: [...inPath('qemu-system-x86_64'), kvm],
        for: 'guests',
      },
  { package: 'qemu-utils', dnf: 'qemu-img', files: inPath('qemu-img'), for: 'disks' },
  { package: 'libvirt-daemon', files: inPath('libvirtd'), for: 'guests' },
  {
    package: 'libvirt-daemon-driver-qemu',
    files: libvirtDrivers.map((directory) => `${directory}/libvirt_driver_qemu.so`),
    for: 'guests',
  },
  {
    package: 'genisoimage',
    files: inPath('genisoimage'),
    for: 'config drives',
    without: 'servers that ask for a config drive cannot be built on this host; all others can',
  },
  { package: 'iproute2', dnf: 'iproute', files: inPath('ip'), for: 'networks' },
  { package: 'procps', dnf: 'procps-ng', files: inPath('sysctl'), for: 'networks' },
  { package: 'iptables', dnf: 'iptables-nft', files: inPath('iptables-restore'), for: 'security groups' },
  { package: 'ipset', files: inPath('ipset'), for: 'security groups' },
  { package: 'ebtables', dnf: 'iptables-nft', files: inPath('ebtables-restore'), for: 'anti-spoofing' },
  { package: 'conntrack', dnf: 'conntrack-tools', files: inPath('conntrack'), for: 'security groups' },
  { package: 'dnsmasq-base', dnf: 'dnsmasq', files: inPath('dnsmasq'), for: 'DHCP' },
  { package: 'haproxy', files: inPath('haproxy'), for: 'guest metadata' },
  {
    package: 'openssh-client',
    dnf: 'openssh-clients',
    files: inPath('ssh', 'ssh-keygen'),
    for: 'verify',
    without: 'kilonova verify cannot log in to a guest',
  },
  {
    package: 'iputils-ping',
    dnf: 'iputils',
    files: inPath('ping'),
    for: 'verify',
    without: 'kilonova verify cannot look whether a guest answers',
  },
]

/** Packages that a real cloud needs and this machine lacks. */
export const missingPackages = (needs: readonly Need[] = cloudNeeds): readonly Need[] =>
  needs.filter((need) => !need.files.some((file) => existsSync(file)))

/** Installs what is missing with apt after saying what and why; asks first when there is somebody to ask. */
export async function installMissing(
  options: { yes: boolean; say: (line: string) => void },
  needs: readonly Need[] = cloudNeeds,
): Promise<void> {
  const missing = missingPackages(needs)
  if (missing.length === 0) return
  const names = missing.map((need) => need.package)
  const command = installLine(missing)
  if (!existsSync('/usr/bin/apt-get')) {
    const needed = missing.filter(({ without }) => without === undefined)
    if (needed.length > 0) {
      throw new Fault('unavailable', `Packages are missing. To install them: ${command}`)
    }
    for (const need of missing) options.say(`${need.package} is missing: ${need.without}.`)
    options.say(`To install what is missing: ${command}`)
    return
  }
  options.say('These packages are missing and will be installed:')
  for (const need of missing) options.say(`  ${need.package} (for ${need.for})`)
  if (!options.yes && process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout })
    const answer = await terminal.question('Install them now? [Y/n] ')
    terminal.close()
    if (/^n/i.test(answer.trim()))
      throw new Fault('unavailable', `Nothing was installed. To do it by hand: ${command}`)
  }
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  using _started = startNoServices()
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', ...names],
  ]) {
    options.say(`Running apt-get ${args[0]} …`)
    const result = spawnSync('apt-get', args, { env: environment, encoding: 'utf8' })
    if (result.status !== 0) {
      throw new Fault('unavailable', `apt-get ${args.join(' ')} failed:\n${result.stderr.trim()}`)
    }
  }
  const still = missingPackages(needs)
  if (still.length > 0) {
    throw new Fault(
      'unavailable',
      `Still missing after the installation: ${still.map((need) => need.package).join(', ')}`,
    )
  }
}

const startPolicy = '/usr/sbin/policy-rc.d'

/** A database or message queue that is installed for a lab is not to run on the machine itself. */
function startNoServices(): Disposable {
  if (existsSync(startPolicy)) return { [Symbol.dispose]: () => undefined }
  writeFileSync(startPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return { [Symbol.dispose]: () => rmSync(startPolicy) }
}
