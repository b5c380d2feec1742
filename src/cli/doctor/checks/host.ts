/** This host: packages, hypervisor and ports, as its programs need them. Its addresses and NICs the linter looks at. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { installLine, packageName, packageTool } from '../../up/distribution.ts'
import { missingPackages, type Need } from '../../up/packages.ts'
import { type Check, type Finding, failure, ok, warning } from '../finding.ts'
import { type ProgramHere, textOf, whereOf } from '../programs-here.ts'
import { reach } from '../reach.ts'
import { checkRootHelper } from './root-helper.ts'

export function hostChecks(programs: readonly ProgramHere[]): Check[] {
  const run = async () => [
    ...checkPackages(programs),
    ...checkLockPaths(programs),
    ...checkRootHelper(programs),
    ...checkHypervisor(programs),
    ...checkRoles(programs),
    ...(await checkListening(programs)),
  ]
  return [{ about: 'this host', run }]
}

/** What each program's work needs of `up`'s list. */
const purposes: Readonly<Record<string, readonly string[]>> = {
  'nova-compute': ['guests', 'disks', 'config drives'],
  'neutron-linuxbridge-agent': ['networks', 'security groups', 'anti-spoofing'],
  'neutron-dhcp-agent': ['networks', 'DHCP'],
  'neutron-metadata-agent': ['guest metadata'],
}

function checkPackages(programs: readonly ProgramHere[]): Finding[] {
  const wanted = new Set(
    programs
      .filter((program) => !(program.name === 'nova-compute' && isFake(program)))
      .flatMap(({ name }) => purposes[name] ?? []),
  )
  if (wanted.size === 0) return []
  const withSets = programs.some(({ config }) => config['enableIpset'] === true)
  const missing = missingPackages().filter(
    (need) => wanted.has(need.for) && (withSets || need.package !== 'ipset'),
  )
  if (missing.length === 0) return [ok('packages', 'all that these programs need are there')]
  const tool = packageTool() ?? 'apt'
  const named = (need: Need) => `${packageName(need, tool)} (for ${need.for})`
  const needed = missing.filter(({ without }) => without === undefined)
  const optional = missing.filter(({ without }) => without !== undefined)
  return [
    ...(needed.length === 0
      ? []
      : [failure('packages', `missing: ${needed.map(named).join(', ')}`, installLine(missing))]),
    ...optional.map((need) =>
      warning('packages', `missing: ${named(need)}. Without it ${need.without}.`, installLine([need])),
    ),
  ]
}

/** Programs that run once on a host, by a lock in `[oslo_concurrency] lock_path`. */
const locking: readonly string[] = ['nova-compute', 'neutron-linuxbridge-agent', 'neutron-dhcp-agent']

function checkLockPaths(programs: readonly ProgramHere[]): Finding[] {
  const paths = new Map<string, ProgramHere>()
  for (const program of programs.filter(({ name }) => locking.includes(name))) {
    const path = textOf(program.config, 'lockPath')
    if (path !== undefined) paths.set(path, program)
  }
  return [...paths].map(([path, program]) => {
    let place = path
    // What is not there yet the first program makes.
    while (!existsSync(place)) place = dirname(place)
    if (statSync(place).isDirectory() && canOpen(place))
      return ok(`lock_path ${path}`, place === path ? 'can be written' : 'can be made')
    return failure(
      `lock_path ${path}`,
      `${place} ${statSync(place).isDirectory() ? 'cannot be written' : 'is no directory'} (${whereOf(program, 'lockPath')})`,
      `Make it a directory that the user of ${program.name} may write.`,
    )
  })
}

const isFake = ({ config }: ProgramHere): boolean => /fake/i.test(textOf(config, 'computeDriver') ?? '')

function checkHypervisor(programs: readonly ProgramHere[]): Finding[] {
  const compute = programs.find(({ name }) => name === 'nova-compute')
  if (compute === undefined || isFake(compute)) return []
  const virtType = textOf(compute.config, 'libvirtVirtType') ?? 'auto'
  const findings: Finding[] = []
  const flagged = /\b(vmx|svm)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))
  const kvm = canOpen('/dev/kvm')
  if (virtType === 'kvm' && !(flagged && kvm)) {
    findings.push(
      failure(
        'hypervisor',
        `[libvirt] virt_type = kvm (${whereOf(compute, 'libvirtVirtType')}), but ${flagged ? '/dev/kvm cannot be opened' : 'the processor shows neither vmx nor svm'}`,
        'Turn virtualization on in the firmware (or nested virtualization, on a virtual machine), or write virt_type = qemu.',
      ),
    )
  } else if (virtType === 'qemu' && flagged && kvm) {
    findings.push(
      warning(
        'hypervisor',
        'guests are emulated (virt_type = qemu), though this processor could run them itself',
        'Write [libvirt] virt_type = kvm, or leave it out.',
      ),
    )
  } else {
    findings.push(
      ok('hypervisor', flagged && kvm ? 'the processor runs guests (kvm)' : 'guests are emulated (qemu)'),
    )
  }
  const socket = ['/run/libvirt/libvirt-sock', '/var/run/libvirt/libvirt-sock'].find(existsSync)
  findings.push(
    socket === undefined
      ? failure(
          'libvirt',
          'there is no socket /run/libvirt/libvirt-sock',
          'systemctl start libvirtd (nova-compute waits for it)',
        )
      : ok('libvirt', `listens at ${socket}`),
  )
  return findings
}

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

function checkRoles(programs: readonly ProgramHere[]): Finding[] {
  const names = programs.map(({ name }) => name)
  if (!names.includes('nova-conductor') || !names.includes('nova-compute')) return []
  return [
    warning(
      'roles',
      'nova-conductor and nova-compute are set up on one host',
      'Compute hosts should not know the database: run nova-conductor elsewhere, unless this is an all-in-one.',
    ),
  ]
}

/** Where programs listen, by the keys of their tables. */
const listeners: readonly (readonly [program: string, port: string, standard: number])[] = [
  ['nova-api', 'osapiComputeListenPort', 8774],
  ['neutron-server', 'bindPort', 9696],
  ['placement-api', 'bindPort', 8778],
  ['glance-api', 'bindPort', 9292],
  ['keystone', 'publicPort', 5000],
]

async function checkListening(programs: readonly ProgramHere[]): Promise<Finding[]> {
  const own = listeners.flatMap(([name, key, standard]) => {
    const program = programs.find((one) => one.name === name)
    if (program === undefined) return []
    const port = program.config[key]
    return [{ name, port: typeof port === 'number' ? port : standard }]
  })
  return await Promise.all(
    own.map(async ({ name, port }) => {
      const { reached } = await reach('127.0.0.1', port)
      return reached
        ? ok(`${name}, port ${port}`, 'listens')
        : warning(
            `${name}, port ${port}`,
            'does not listen here',
            `Start it: systemctl start ${name}; its log tells what it waits for.`,
          )
    }),
  )
}
