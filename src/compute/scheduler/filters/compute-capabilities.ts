import type { Filter } from '../host-state.ts'
import { matchesSpec } from '../match-spec.ts'

/** Extra specs `capabilities:<name>` (and unscoped ones that name a capability) against what the host is. */
export const computeCapabilitiesFilter: Filter = {
  name: 'ComputeCapabilitiesFilter',
  refuses(host, { spec }) {
    const held: Record<string, string> = {
      hypervisor_type: host.hypervisorType,
      hypervisor_version: String(host.hypervisorVersion),
      cpu_info: host.cpuInfo,
      free_ram_mb: String(host.freeRamMb),
      free_disk_mb: String(host.freeDiskGb * 1024),
      num_io_ops: String(host.ioOps),
      num_instances: String(host.instances),
      host: host.host,
      hypervisor_hostname: host.node,
    }
    for (const [key, wanted] of Object.entries(spec.flavor.extra_specs)) {
      if (!key.startsWith('capabilities:')) continue
      const name = key.slice('capabilities:'.length)
      const value = held[name] ?? cpuFact(host.cpuInfo, name)
      if (value === undefined || !matchesSpec(value, wanted)) return `${key} is not ${wanted}`
    }
    return undefined
  },
}

function cpuFact(cpuInfo: string, name: string): string | undefined {
  if (!name.startsWith('cpu_info:') || !cpuInfo.startsWith('{')) return undefined
  let value: unknown = JSON.parse(cpuInfo)
  for (const key of name.split(':').slice(1)) value = (value as Record<string, unknown> | undefined)?.[key]
  return value === undefined ? undefined : Array.isArray(value) ? value.join(' ') : String(value)
}
