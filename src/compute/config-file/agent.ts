/** What nova-compute reads of `nova.conf`. */
import { machine } from 'node:os'
import { bool, type Config, choice, int, optional, text } from '../../base/config/option.ts'
import type { LibvirtDriverOptions } from '../virt/libvirt/driver-options.ts'

export const agentOptions = {
  computeDriver: {
    name: 'compute_driver',
    type: choice('libvirt.LibvirtDriver', 'nova.virt.libvirt.LibvirtDriver', 'fake.FakeDriver'),
    default: 'libvirt.LibvirtDriver',
    help: 'What runs the guests: libvirt, or for tests nothing that only looks like it.',
  },
  statePath: {
    name: 'state_path',
    type: text,
    default: '/var/lib/nova',
    help: 'Directory of what nova keeps on this host.',
  },
  instancesPath: {
    name: 'instances_path',
    type: text,
    default: '$state_path/instances',
    help: "Directory of the guests' disks.",
  },
  maxConcurrentBuilds: {
    name: 'max_concurrent_builds',
    type: int({ min: 0 }),
    default: 10,
    help: 'How many guests are built at the same time; 0: any number.',
  },
  libvirtVirtType: {
    group: 'libvirt',
    name: 'virt_type',
    type: optional(choice('kvm', 'qemu')),
    default: null,
    help: 'kvm or qemu. Default: kvm where the processor can, else qemu.',
    deprecated: ['DEFAULT.libvirt_type'],
  },
  libvirtConnectionUri: {
    group: 'libvirt',
    name: 'connection_uri',
    type: text,
    default: '',
    help: 'libvirt of this host; qemu:///system, or with ?socket= the path of its socket.',
  },
  libvirtHwMachineType: {
    group: 'libvirt',
    name: 'hw_machine_type',
    type: optional(text),
    default: null,
    help: 'QEMU machine type of guests whose image names none: x86_64=pc, or only pc.',
  },
  vncEnabled: {
    group: 'vnc',
    name: 'enabled',
    type: bool,
    default: true,
    help: 'Give guests a VNC console.',
    deprecated: ['DEFAULT.vnc_enabled'],
  },
  vncServerListen: {
    group: 'vnc',
    name: 'server_listen',
    type: text,
    default: '127.0.0.1',
    help: 'Address on which the VNC consoles of guests listen. They ask for no password: only the console proxy should reach them.',
    deprecated: ['DEFAULT.vncserver_listen', 'vncserver_listen'],
  },
} as const

type AgentConfig = Config<typeof agentOptions>

/** The part of the libvirt driver's options that operators settle. */
export function libvirtDriverOptionsOf(
  config: AgentConfig,
): Pick<LibvirtDriverOptions, 'instancesPath' | 'virtType' | 'machine' | 'vncListen'> {
  const guestMachine = machineOf(config.libvirtHwMachineType)
  return {
    instancesPath: config.instancesPath,
    virtType: config.libvirtVirtType ?? 'auto',
    ...(guestMachine === undefined ? {} : { machine: guestMachine }),
    ...(config.vncEnabled ? { vncListen: config.vncServerListen } : {}),
  }
}

// `x86_64=pc,aarch64=virt` in nova; a name alone in older files.
function machineOf(setting: string | null): string | undefined {
  const pairs = (setting ?? '').split(',').map((item) => item.trim().split('='))
  const own = pairs.find(([architecture]) => architecture === machine())?.[1]
  const alone = pairs.find((pair) => pair.length === 1)?.[0]
  return own ?? (alone === '' ? undefined : alone)
}

/** Builds at once; nova's 0 means any number. */
export const concurrentBuildsOf = (config: AgentConfig): number =>
  config.maxConcurrentBuilds === 0 ? Number.POSITIVE_INFINITY : config.maxConcurrentBuilds
