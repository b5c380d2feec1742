/** A cell's database (nova, nova_cell0): the instances and hosts of that cell. Names are OpenStack's. */
import type { Generated } from 'kysely'

interface Timestamps {
  created_at: string
  updated_at: string | null
}

interface SoftDelete {
  deleted_at: string | null
  /** 0, or the row's own id once deleted. */
  deleted: number
}

export interface InstancesTable extends Timestamps, SoftDelete {
  /** `instance-%08x` of it is the guest's name on its host. */
  id: Generated<number>
  uuid: string
  user_id: string
  project_id: string
  image_ref: string
  launch_index: number
  key_name: string | null
  key_data: string | null
  /** OpenStack's number of the power state. */
  power_state: number
  vm_state: string
  task_state: string | null
  memory_mb: number
  vcpus: number
  root_gb: number
  ephemeral_gb: number
  hostname: string
  host: string | null
  node: string | null
  launched_on: string | null
  /** Base64, as it came. */
  user_data: string | null
  reservation_id: string
  launched_at: string | null
  terminated_at: string | null
  availability_zone: string | null
  display_name: string
  display_description: string | null
  locked: number
  locked_by: string | null
  config_drive: string
  progress: number
  auto_disk_config: number
  access_ip_v4: string | null
  access_ip_v6: string | null
  root_device_name: string | null
  /** The flow that works on the instance now, so that a late step of another is noticed. */
  flow_id: string | null
  /** Raised with every change of the row, and of what other tables hold of the instance. */
  revision: Generated<number>
  /** Raised with every change of what other tables hold of the instance. */
  parts_revision: Generated<number>
}

export interface InstanceExtraTable {
  id: Generated<number>
  instance_uuid: string
  /** JSON of the flavor at the time of boot, extra specs included. */
  flavor: string
  /** JSON array of the keypairs at the time of boot. */
  keypairs: string
  /** JSON of the trusted image certificates, or null. */
  trusted_certs: string | null
}

export interface InstanceInfoCachesTable {
  id: Generated<number>
  instance_uuid: string
  /** JSON of the interfaces with their networks and addresses. */
  network_info: string
  updated_at: string | null
}

export interface InstanceMetadataTable {
  id: Generated<number>
  instance_uuid: string
  key: string
  value: string
}

export interface InstanceSystemMetadataTable {
  id: Generated<number>
  instance_uuid: string
  key: string
  value: string
}

export interface TagsTable {
  resource_id: string
  tag: string
}

export interface InstanceFaultsTable extends Timestamps {
  id: Generated<number>
  instance_uuid: string
  code: number
  message: string
  details: string | null
  host: string | null
}

export interface InstanceActionsTable extends Timestamps {
  id: Generated<number>
  action: string
  instance_uuid: string
  request_id: string
  user_id: string
  project_id: string
  start_time: string
  finish_time: string | null
  message: string | null
}

export interface InstanceActionsEventsTable extends Timestamps {
  id: Generated<number>
  event: string
  action_id: number
  start_time: string
  finish_time: string | null
  result: string | null
  traceback: string | null
  details: string | null
  host: string | null
}

export interface ServicesTable extends Timestamps, SoftDelete {
  id: Generated<number>
  uuid: string
  host: string
  /** `nova-compute`, `nova-conductor`, `nova-scheduler`. */
  binary: string
  topic: string
  report_count: number
  disabled: number
  disabled_reason: string | null
  last_seen_up: string | null
  forced_down: number
  version: number
}

export interface ComputeNodesTable extends Timestamps, SoftDelete {
  id: Generated<number>
  /** Also the uuid of the resource provider in placement. */
  uuid: string
  host: string
  hypervisor_hostname: string
  hypervisor_type: string
  hypervisor_version: number
  vcpus: number
  memory_mb: number
  local_gb: number
  vcpus_used: number
  memory_mb_used: number
  local_gb_used: number
  running_vms: number
  cpu_info: string
  host_ip: string
  cpu_allocation_ratio: number
  ram_allocation_ratio: number
  disk_allocation_ratio: number
  disk_available_least: number | null
}

export interface CellTables {
  instances: InstancesTable
  instance_extra: InstanceExtraTable
  instance_info_caches: InstanceInfoCachesTable
  instance_metadata: InstanceMetadataTable
  instance_system_metadata: InstanceSystemMetadataTable
  tags: TagsTable
  instance_faults: InstanceFaultsTable
  instance_actions: InstanceActionsTable
  instance_actions_events: InstanceActionsEventsTable
  services: ServicesTable
  compute_nodes: ComputeNodesTable
}
