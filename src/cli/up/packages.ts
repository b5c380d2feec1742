/** The distribution's packages that real guests and networks need. */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Fault } from '../../base/errors.ts'

export interface Need {
  package: string
  /** Present when one of these files is. */
  files: readonly string[]
  for: string
}

const libvirtDrivers = ['x86_64', 'aarch64'].map(
  (cpu) => `/usr/lib/${cpu}-linux-gnu/libvirt/connection-driver`,
)

/** Where a program may be. */
export const inPath = (...names: string[]): string[] =>
  names.flatMap((name) =>
    ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((directory) => `${directory}/${name}`),
  )

/** What real guests and networks need. */
export const cloudNeeds: readonly Need[] = [
  process.arch === 'arm64'
    ? { package: 'qemu-system-arm', files: inPath('qemu-system-aarch64'), for: 'guests' }
    : { package: 'qemu-system-x86', files: inPath('qemu-system-x86_64'), for: 'guests' },
  { package: 'qemu-utils', files: inPath('qemu-img'), for: 'disks' },
  { package: 'libvirt-daemon', files: inPath('libvirtd'), for: 'guests' },
  {
    package: 'libvirt-daemon-driver-qemu',
    files: libvirtDrivers.map((directory) => `${directory}/libvirt_driver_qemu.so`),
    for: 'guests',
  },
  { package: 'genisoimage', files: inPath('genisoimage'), for: 'config drives' },
  { package: 'iproute2', files: inPath('ip'), for: 'networks' },
  { package: 'iptables', files: inPath('iptables-restore'), for: 'security groups' },
  { package: 'ipset', files: inPath('ipset'), for: 'security groups' },
  { package: 'ebtables', files: inPath('ebtables-restore'), for: 'anti-spoofing' },
  { package: 'conntrack', files: inPath('conntrack'), for: 'security groups' },
  { package: 'dnsmasq-base', files: inPath('dnsmasq'), for: 'DHCP' },
  { package: 'haproxy', files: inPath('haproxy'), for: 'guest metadata' },
  { package: 'openssh-client', files: inPath('ssh', 'ssh-keygen'), for: 'verify' },
  { package: 'iputils-ping', files: inPath('ping'), for: 'verify' },
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
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Fault(
      'unavailable',
      `These programs are missing: ${names.join(', ')}. Install them with this system's package manager.`,
    )
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
