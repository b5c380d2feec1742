import type { Filter } from '../host-state.ts'
import { matchesSpec } from '../match-spec.ts'

/** Images that ask for an architecture, a hypervisor or a machine kind that the host does not have. */
export const imagePropertiesFilter: Filter = {
  name: 'ImagePropertiesFilter',
  refuses(host, { spec }) {
    const properties = spec.image?.properties ?? {}
    const type = properties['img_hv_type'] ?? properties['hypervisor_type']
    // QEMU is what libvirt calls both of these.
    const hostType = host.hypervisorType.toLowerCase()
    const same = (wanted: string) =>
      wanted === hostType || (['kvm', 'qemu'].includes(wanted) && ['kvm', 'qemu'].includes(hostType))
    if (type !== undefined && hostType !== 'fake' && !same(type.toLowerCase())) {
      return `the image wants hypervisor ${type}`
    }
    const architecture = properties['hw_architecture'] ?? properties['architecture']
    const held = /"arch": ?"([^"]+)"/.exec(host.cpuInfo)?.[1]
    if (architecture !== undefined && held !== undefined && architecture.toLowerCase() !== held) {
      return `the image wants architecture ${architecture}`
    }
    const version = properties['img_hv_requested_version'] ?? properties['hypervisor_version_requires']
    if (version !== undefined && !matchesSpec(String(host.hypervisorVersion), version)) {
      return `the image wants hypervisor version ${version}`
    }
    return undefined
  },
}
