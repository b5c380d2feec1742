/** The nova_api database: what is known of the whole deployment. Names are OpenStack's; times are ISO text. */
import type { Generated } from 'kysely'
import type { TurnTables } from '../../base/db/turns.ts'
import type { FlowTables } from '../../base/flow/store.ts'

interface Timestamps {
  created_at: string
  updated_at: string | null
}

export interface CellMappingsTable extends Timestamps {
  id: Generated<number>
  /** cell0 is `00000000-0000-0000-0000-000000000000`. */
  uuid: string
  name: string
  transport_url: string
  database_connection: string
  disabled: number
}

export interface HostMappingsTable extends Timestamps {
  id: Generated<number>
  cell_id: number
  host: string
}

export interface InstanceMappingsTable extends Timestamps {
  id: Generated<number>
  instance_uuid: string
  /** Null until the instance is in its cell. */
  cell_id: number | null
  project_id: string
  user_id: string
  queued_for_delete: number
  /** Of the server's flavor: quotas are counted here, in the transaction that adds to them. */
  vcpus: number
  memory_mb: number
}

export interface RequestSpecsTable extends Timestamps {
  id: Generated<number>
  instance_uuid: string
  /** JSON of RequestSpec. */
  spec: string
  /** Its zone: null when any would do. */
  availability_zone: string | null
}

/** A server that its cell does not know yet: listed and shown from here. */
export interface BuildRequestsTable extends Timestamps {
  id: Generated<number>
  instance_uuid: string
  project_id: string
  /** JSON of the instance as it will be. */
  instance: string
}

export interface FlavorsTable extends Timestamps {
  id: Generated<number>
  flavorid: string
  name: string
  memory_mb: number
  vcpus: number
  root_gb: number
  ephemeral_gb: number
  swap: number
  rxtx_factor: number
  disabled: number
  is_public: number
  description: string | null
}

export interface FlavorExtraSpecsTable {
  id: Generated<number>
  flavor_id: number
  key: string
  value: string | null
}

export interface FlavorProjectsTable {
  id: Generated<number>
  flavor_id: number
  project_id: string
}

export interface KeyPairsTable extends Timestamps {
  id: Generated<number>
  user_id: string
  name: string
  fingerprint: string
  public_key: string
  /** `ssh` or `x509`. */
  type: string
}

export interface QuotasTable extends Timestamps {
  id: Generated<number>
  project_id: string
  resource: string
  hard_limit: number
}

/** Limits of one user within a project. */
export interface ProjectUserQuotasTable extends Timestamps {
  id: Generated<number>
  user_id: string
  project_id: string
  resource: string
  hard_limit: number
}

/** The class `default` overrides the configured defaults. */
export interface QuotaClassesTable extends Timestamps {
  id: Generated<number>
  class_name: string
  resource: string
  hard_limit: number
}

export interface AggregatesTable extends Timestamps {
  id: Generated<number>
  uuid: string
  name: string
}

export interface AggregateHostsTable {
  id: Generated<number>
  host: string
  aggregate_id: number
}

export interface AggregateMetadataTable {
  id: Generated<number>
  aggregate_id: number
  key: string
  value: string
}

export interface InstanceGroupsTable extends Timestamps {
  id: Generated<number>
  user_id: string
  project_id: string
  uuid: string
  name: string
}

export interface InstanceGroupPolicyTable {
  id: Generated<number>
  group_id: number
  policy: string
  /** JSON. */
  rules: string
}

export interface InstanceGroupMemberTable {
  id: Generated<number>
  group_id: number
  instance_uuid: string
}

export interface ApiTables extends FlowTables, TurnTables {
  cell_mappings: CellMappingsTable
  host_mappings: HostMappingsTable
  instance_mappings: InstanceMappingsTable
  request_specs: RequestSpecsTable
  build_requests: BuildRequestsTable
  flavors: FlavorsTable
  flavor_extra_specs: FlavorExtraSpecsTable
  flavor_projects: FlavorProjectsTable
  key_pairs: KeyPairsTable
  quotas: QuotasTable
  project_user_quotas: ProjectUserQuotasTable
  quota_classes: QuotaClassesTable
  aggregates: AggregatesTable
  aggregate_hosts: AggregateHostsTable
  aggregate_metadata: AggregateMetadataTable
  instance_groups: InstanceGroupsTable
  instance_group_policy: InstanceGroupPolicyTable
  instance_group_member: InstanceGroupMemberTable
}
