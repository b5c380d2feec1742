import { Type } from 'typebox'
import { type Fields, type History, viewAt } from '../../../base/http/fields.ts'
import type { Microversion } from '../../../base/http/microversion.ts'
import type { Hypervisor } from '../hosts/host-services.ts'

const Figure = Type.Union([Type.Integer(), Type.Null()])

/** Figures of use went at 2.88: they misled, and Placement knows better. */
export const hypervisorFields = {
  vcpus: { schema: Figure, until: '2.87' },
  memory_mb: { schema: Figure, until: '2.87' },
  local_gb: { schema: Figure, until: '2.87' },
  vcpus_used: { schema: Figure, until: '2.87' },
  memory_mb_used: { schema: Figure, until: '2.87' },
  local_gb_used: { schema: Figure, until: '2.87' },
  free_ram_mb: { schema: Figure, until: '2.87' },
  free_disk_gb: { schema: Figure, until: '2.87' },
  current_workload: { schema: Figure, until: '2.87' },
  running_vms: { schema: Figure, until: '2.87' },
  disk_available_least: { schema: Figure, until: '2.87' },
  cpu_info: { schema: Type.Unknown(), until: '2.87' },
  uptime: { schema: Type.Union([Type.String(), Type.Null()]), since: '2.88' },
} satisfies Fields

export interface HypervisorView extends Record<string, unknown> {
  id: string | number
  cpu_info?: unknown
  service?: { id: string | number; host: string; disabled_reason: string | null }
}

/** Views carry both kinds of id until they are lowered. */
const history = (numbers: { node: number; service: number }, json: string): History<HypervisorView> => [
  {
    at: '2.53',
    note: 'hypervisors and services are known by uuid; before, by number',
    down: (view) => ({
      ...view,
      id: numbers.node,
      ...(view.service === undefined ? {} : { service: { ...view.service, id: numbers.service } }),
    }),
  },
  {
    at: '2.28',
    note: 'cpu_info is an object; before, a string of JSON',
    down: (view) => ('cpu_info' in view ? { ...view, cpu_info: json } : view),
  },
]

function brief({ node, service }: Hypervisor): HypervisorView {
  return {
    id: node.uuid,
    hypervisor_hostname: node.hypervisor_hostname,
    state: service.up ? 'up' : 'down',
    status: service.disabled === 1 ? 'disabled' : 'enabled',
  }
}

function whole(hypervisor: Hypervisor): HypervisorView {
  const { node, service } = hypervisor
  return {
    ...brief(hypervisor),
    hypervisor_type: node.hypervisor_type,
    hypervisor_version: node.hypervisor_version,
    host_ip: node.host_ip,
    service: { id: service.uuid, host: node.host, disabled_reason: service.disabled_reason },
    ...figures(hypervisor),
    cpu_info: parseObject(node.cpu_info),
    uptime: null,
  }
}

function parseObject(json: string): unknown {
  try {
    return json === '' ? {} : JSON.parse(json)
  } catch {
    // A hypervisor that tells its CPU in words.
    return { model: json }
  }
}

/** What a node has and what is used of it. */
export function figures({ node }: Hypervisor) {
  return {
    vcpus: node.vcpus,
    memory_mb: node.memory_mb,
    local_gb: node.local_gb,
    vcpus_used: node.vcpus_used,
    memory_mb_used: node.memory_mb_used,
    local_gb_used: node.local_gb_used,
    free_ram_mb: node.memory_mb - node.memory_mb_used,
    free_disk_gb: node.local_gb - node.local_gb_used,
    current_workload: 0,
    running_vms: node.running_vms,
    disk_available_least: node.disk_available_least,
  }
}

/** A hypervisor as a microversion shows it. */
export function hypervisorView(
  hypervisor: Hypervisor,
  version: Microversion,
  options: { detail: boolean },
): HypervisorView {
  const { node, service } = hypervisor
  const view = options.detail ? whole(hypervisor) : brief(hypervisor)
  const json = JSON.stringify(view.cpu_info ?? {})
  return viewAt(hypervisorFields, history({ node: node.id, service: service.id }, json), version, view)
}
