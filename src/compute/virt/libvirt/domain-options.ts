/** What all domains of this host have in common. */
import { machine } from 'node:os'
import type { DomainOptions } from './domain-xml.ts'
import type { LibvirtDriverOptions } from './driver-options.ts'
import { hasHardwareVirtualization } from './hardware-virtualization.ts'
import type { LibvirtClient } from './rpc/client.ts'

/** The releases of libvirt (9.0.x) whose way of asking for the processor's features is known to be replaceable. */
const firstKnown = 9_000_000
const firstUnknown = 9_001_000

/** Holds as long as the connection does: libvirtd may come back as another version. */
export async function chooseDomainOptions(
  options: LibvirtDriverOptions,
  client: LibvirtClient,
): Promise<DomainOptions> {
  const virtType = await chooseVirtType(options)
  const { version } = await client.call('connectGetLibVersion', undefined)
  options.log.info({ virtType, libvirt: version }, 'guests run on')
  return {
    virtType,
    arch: machine(),
    machine: options.machine ?? 'pc',
    vncListen: options.vncListen,
    fewerCpuQueries: virtType === 'qemu' && version >= firstKnown && version < firstUnknown,
  }
}

async function chooseVirtType({ virtType = 'auto' }: LibvirtDriverOptions): Promise<'kvm' | 'qemu'> {
  if (virtType !== 'auto') return virtType
  return (await hasHardwareVirtualization()) ? 'kvm' : 'qemu'
}

/**
 * Why guests, which are to run on the processor itself, cannot; undefined when they can. Each would fail on its own. It is
 * a service's `disabled_reason`, which has room for 255 characters.
 */
export async function unfitFor(
  virtType: LibvirtDriverOptions['virtType'],
  hasHardware: () => Promise<boolean> = hasHardwareVirtualization,
): Promise<string | undefined> {
  if (virtType !== 'kvm' || (await hasHardware())) return undefined
  return '[libvirt] virt_type is kvm, but the processor shows neither vmx nor svm, or /dev/kvm cannot be opened. Turn virtualization on in the firmware, or write virt_type = qemu.'
}
