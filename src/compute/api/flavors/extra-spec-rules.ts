/** Which extra specs there are in the namespaces that nova knows, and what they may hold; checked since 2.86. */
import { Fault } from '../../../base/errors.ts'
import { readFlag } from '../schema-types.ts'

interface Rule {
  name: RegExp
  check(value: string): string | undefined
}

const anything = () => undefined

const oneOf =
  (...values: string[]) =>
  (value: string) =>
    values.includes(value) ? undefined : `'${value}' is not one of: ${values.join(', ')}.`

const form = (pattern: string) => {
  const whole = new RegExp(`^(?:${pattern})$`)
  return (value: string) => (whole.test(value) ? undefined : `'${value}' is not of the format '${pattern}'.`)
}

const flag = (value: string) =>
  readFlag(value) === undefined ? `'${value}' is not a valid boolean-like value.` : undefined

const whole =
  (min?: number, max?: number) =>
  (value: string): string | undefined => {
    if (!/^\s*[+-]?\d+\s*$/.test(value)) return `'${value}' is not a valid integer value.`
    if (max !== undefined && Number(value) > max)
      return `'${value}' is greater than the max value of '${max}'.`
    if (min !== undefined && Number(value) < min) return `'${value}' is less than the min value of '${min}'.`
    return undefined
  }

const rules: Rule[] = []
const add = (namespace: string, names: string, check: Rule['check']): void => {
  for (const name of names.split(' ')) rules.push({ name: new RegExp(`^${namespace}${name}$`), check })
}

const cpuSet = '\\^?\\d+((-\\d+)?(,\\^?\\d+(-\\d+)?)?)*'
const shareLevel = oneOf('custom', 'high', 'normal', 'low')

add('', 'hide_hypervisor_id', flag)
add('', 'group_policy', oneOf('isolate', 'none'))
add('accel:', 'device_profile', anything)
add('aggregate_instance_extra_specs:', '.+', anything)
add(
  'capabilities:',
  'id uuid service_id host vcpus memory_mb local_gb vcpus_used memory_mb_used local_gb_used hypervisor_type ' +
    'hypervisor_version hypervisor_hostname free_ram_mb free_disk_gb current_workload running_vms ' +
    'disk_available_least host_ip mapped cpu_allocation_ratio ram_allocation_ratio disk_allocation_ratio ' +
    'total_usable_ram_mb total_usable_disk_gb disk_mb_used free_disk_mb vcpus_total num_instances num_io_ops ' +
    'failed_builds aggregates cell_uuid updated',
  anything,
)
add(
  'capabilities:',
  '(cpu_info|metrics|stats|numa_topology|supported_hv_specs|pci_device_pools|nodename|pci_stats|' +
    'supported_instances|limits|instances)(:\\w+)*',
  anything,
)
add(
  'hw:',
  'cpu_realtime hide_hypervisor_id locked_memory boot_menu vif_multiqueue_enabled mem_encryption',
  flag,
)
add('hw:', 'pmu ephemeral_encryption', flag)
add('hw:', 'cpu_realtime_mask', form('(\\^)?\\d+((-\\d+)?(,\\^?\\d+(-\\d+)?)?)*'))
add('hw:', 'cpu_policy', oneOf('dedicated', 'shared', 'mixed'))
add('hw:', 'cpu_thread_policy', oneOf('prefer', 'isolate', 'require'))
add('hw:', 'emulator_threads_policy', oneOf('isolate', 'share'))
add('hw:', 'cpu_dedicated_mask numa_cpus\\.\\d+', form(cpuSet))
add('hw:', 'mem_page_size', form('(large|small|any|\\d+([kKMGT]i?)?(b|bit|B)?)'))
add('hw:', 'numa_nodes numa_mem\\.\\d+ cpu_sockets cpu_cores cpu_threads', whole(1))
add('hw:', 'max_cpu_sockets max_cpu_cores max_cpu_threads', whole(1))
add('hw:', 'pci_numa_affinity_policy', oneOf('required', 'preferred', 'legacy', 'socket'))
add('hw:', 'pmem', form('([a-zA-Z0-9_]+(,)?)+'))
add('hw:', 'serial_port_count', whole(0))
add('hw:', 'tpm_model', oneOf('tpm-tis', 'tpm-crb'))
add('hw:', 'tpm_version', oneOf('1.2', '2.0'))
add('hw:', 'watchdog_action', oneOf('none', 'pause', 'poweroff', 'reset', 'disabled'))
add('hw:', 'viommu_model', oneOf('intel', 'smmuv3', 'virtio', 'auto'))
add('hw:', 'ephemeral_encryption_format', oneOf('luks', 'plain'))
add('hw_rng:', 'allowed', flag)
add('hw_rng:', 'rate_bytes rate_period', whole(0))
add('hw_video:', 'ram_max_mb', whole(0))
add('os:', 'secure_boot', oneOf('disabled', 'required'))
add('os:', 'resolution', oneOf('1024x768', '1280x1024', '1600x1200', '1920x1200', '2560x1600', '3840x2160'))
add('os:', 'monitors', whole(1, 8))
add('os:', 'vram', oneOf('64', '128', '256', '512', '1024'))
add('pci_passthrough:', 'alias', form('[^:]+:\\d+(?:\\s*,\\s*[^:]+:\\d+)*'))
add(
  'quota:',
  '(cpu|memory|disk_io|vif)_limit (cpu|memory|disk_io|vif)_shares_share cpu_shares cpu_period',
  whole(0),
)
add('quota:', '(cpu|memory|disk_io|vif)_reservation cpu_quota', whole())
add('quota:', '(cpu|memory|disk_io|vif)_shares_level', shareLevel)
add('quota:', 'disk_(read|write|total)_(bytes|iops)_sec vif_(in|out)bound_(average|peak|burst)', whole(0))
add('resources([a-zA-Z0-9_\\-]{1,64})?:', '[A-Z0-9_]+', whole())
add('trait([a-zA-Z0-9_\\-]{1,64})?:', '[A-Z0-9_]+', oneOf('required', 'forbidden'))
add('vmware:', 'hw_version storage_policy', anything)

const knownNamespace =
  /^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware|resources([a-zA-Z0-9_-]{1,64})?|trait([a-zA-Z0-9_-]{1,64})?)$/

/** Throws `invalid` for a value that cannot be, or for an unknown name in a namespace that is known. */
export function checkExtraSpec(name: string, value: string): void {
  const rule = rules.find((candidate) => candidate.name.test(name))
  if (rule !== undefined) {
    const problem = rule.check(value)
    if (problem !== undefined) throw new Fault('invalid', `Validation failed; ${problem}`, { name, value })
    return
  }
  const [namespace, rest] = name.split(':', 2)
  if (rest === undefined || !knownNamespace.test(namespace!)) return
  throw new Fault(
    'invalid',
    `Validation failed; extra spec '${name}' does not appear to be a valid extra spec.`,
    { name },
  )
}
