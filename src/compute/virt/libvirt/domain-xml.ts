/** The domain that libvirt is given for a guest. Names and metadata are nova's, so that its tools understand them. */
import { Fault } from '../../../base/errors.ts'
import type { GuestSpec, Vif } from '../driver.ts'
import { cpuTopology } from './cpu-topology.ts'
import type { GuestDisk } from './disks.ts'
import type { InstanceFiles } from './instance-files.ts'
import { novaMetadata } from './nova-metadata.ts'
import { element, type Xml } from './xml.ts'

export interface DomainOptions {
  /** `kvm`: on the processor; `qemu`: emulated. */
  virtType: 'kvm' | 'qemu'
  arch: string
  /** Unless the image's `hw_machine_type` says otherwise. */
  machine: string
  /** Address for the VNC console; no console and no display when undefined. */
  vncListen: string | undefined
  /** See `cpuQueries`. */
  fewerCpuQueries: boolean
}

const qemuNamespace = 'http://libvirt.org/schemas/domain/qemu/1.0'

/** Emulated code kept per guest. QEMU's own default, an eighth of the host's memory, would let a few guests eat it all. */
const translationCacheMib = 128

const diskBuses = ['virtio', 'sata', 'scsi', 'ide', 'usb'] as const
const diskPrefix: Readonly<Record<string, string>> = { virtio: 'vd', ide: 'hd' }
const vifModels = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'ne2k_pci', 'pcnet'] as const

/** The whole `<domain>` document. */
export function domainXml(
  spec: GuestSpec,
  disks: readonly GuestDisk[],
  files: InstanceFiles,
  options: DomainOptions,
): string {
  return element(
    'domain',
    { type: options.virtType, 'xmlns:qemu': qemuNamespace },
    element('uuid', {}, spec.uuid),
    element('name', {}, spec.name),
    element('memory', { unit: 'MiB' }, spec.memoryMb),
    element('vcpu', { placement: 'static' }, spec.vcpus),
    element('metadata', {}, novaMetadata(spec)),
    smbios(spec),
    element(
      'os',
      {},
      element('type', { arch: options.arch, machine: machineOf(spec, options) }, 'hvm'),
      element('boot', { dev: 'hd' }),
      element('smbios', { mode: 'sysinfo' }),
    ),
    features(options),
    cpu(spec, options),
    clock(options),
    element('on_poweroff', {}, 'destroy'),
    element('on_reboot', {}, 'restart'),
    element('on_crash', {}, 'destroy'),
    devices(spec, disks, files, options),
    options.fewerCpuQueries ? cpuQueries() : undefined,
  ).xml
}

/** cloud-init recognises OpenStack by the product name. */
function smbios(spec: GuestSpec): Xml {
  const entry = (name: string, value: string) => element('entry', { name }, value)
  return element(
    'sysinfo',
    { type: 'smbios' },
    element(
      'system',
      {},
      entry('manufacturer', 'OpenStack Foundation'),
      entry('product', 'OpenStack Nova'),
      entry('version', '26.0.0'),
      entry('serial', spec.uuid),
      entry('uuid', spec.uuid),
      entry('family', 'Virtual Machine'),
    ),
  )
}

function features({ virtType }: DomainOptions): Xml {
  const cache = element('tcg', {}, element('tb-cache', { unit: 'MiB' }, translationCacheMib))
  return element('features', {}, element('acpi'), element('apic'), virtType === 'qemu' ? cache : undefined)
}

function cpu(spec: GuestSpec, { virtType }: DomainOptions): Xml {
  const topology = element('topology', { ...cpuTopology(spec) })
  if (virtType === 'kvm') return element('cpu', { mode: 'host-model', check: 'partial' }, topology)
  return element('cpu', {}, topology)
}

/**
 * Makes libvirt ask QEMU for all features of the guest's processor in one question instead of three hundred, which
 * take half of the time of a start. What it would learn more matters to no emulated processor.
 */
function cpuQueries(): Xml {
  return element('qemu:capabilities', {}, element('qemu:del', { capability: 'cpu-unavailable-features' }))
}

function clock({ virtType }: DomainOptions): Xml {
  if (virtType === 'qemu') return element('clock', { offset: 'utc' })
  return element(
    'clock',
    { offset: 'utc' },
    element('timer', { name: 'pit', tickpolicy: 'delay' }),
    element('timer', { name: 'rtc', tickpolicy: 'catchup' }),
    element('timer', { name: 'hpet', present: 'no' }),
  )
}

function devices(
  spec: GuestSpec,
  disks: readonly GuestDisk[],
  files: InstanceFiles,
  { vncListen }: DomainOptions,
): Xml {
  const log = () => element('log', { file: files.consoleLog, append: 'off' })
  const port = () => element('target', { port: 0 })
  const bus = oneOf(spec, 'hw_disk_bus', diskBuses)
  return element(
    'devices',
    {},
    ...disks.map((disk, index) => diskElement(disk, index, bus)),
    ...spec.vifs.map((vif) => interfaceElement(spec, vif)),
    element('serial', { type: 'pty' }, log(), port()),
    ...display(vncListen),
    // Entropy for the keys that a guest makes at its first start.
    element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, '/dev/urandom')),
    element('memballoon', { model: 'virtio' }, element('stats', { period: 10 })),
  )
}

/**
 * The config drive is a read-only disk on the same bus, not a CD-ROM: the cloud kernels of distributions have no
 * driver for IDE or SATA, and guests find the drive by its label.
 */
function diskElement(disk: GuestDisk, index: number, bus: string): Xml {
  const name = (diskPrefix[bus] ?? 'sd') + String.fromCharCode('a'.charCodeAt(0) + index)
  return element(
    'disk',
    { type: 'file', device: 'disk' },
    // The host's page cache lets all guests of an image share what they read of it; flushes of the guest are kept.
    element('driver', { name: 'qemu', type: disk.format, cache: 'writeback', discard: 'unmap' }),
    element('source', { file: disk.path }),
    element('target', { dev: name, bus }),
    disk.readonly ? element('readonly') : undefined,
  )
}

function interfaceElement(spec: GuestSpec, vif: Vif): Xml {
  return element(
    'interface',
    { type: 'bridge' },
    element('mac', { address: vif.macAddress }),
    element('source', { bridge: vif.bridgeName }),
    element('target', { dev: vif.devName }),
    element('model', { type: oneOf(spec, 'hw_vif_model', vifModels) }),
    element('mtu', { size: vif.mtu }),
    // Nothing boots from the network, and the firmware would spend time on a boot ROM per port.
    element('rom', { enabled: 'no' }),
  )
}

function display(vncListen: string | undefined): Xml[] {
  if (vncListen === undefined) return [element('controller', { type: 'usb', model: 'none' })]
  return [
    element('graphics', { type: 'vnc', autoport: 'yes', listen: vncListen }),
    element('video', {}, element('model', { type: 'vga' })),
    element('input', { type: 'tablet', bus: 'usb' }),
  ]
}

function machineOf(spec: GuestSpec, { machine }: DomainOptions): string {
  return spec.image?.properties['hw_machine_type'] ?? machine
}

/** The image's property when it is one of the values that are possible; the first of them without one. */
function oneOf(spec: GuestSpec, property: string, possible: readonly [string, ...string[]]): string {
  const value = spec.image?.properties[property] ?? possible[0]
  if (possible.includes(value)) return value
  throw new Fault(
    'invalid',
    `The image's ${property} is ${value}; this hypervisor has ${possible.join(', ')}.`,
  )
}
