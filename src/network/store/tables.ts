/** The rows of Network's database, under neutron's table names. Booleans are 0 or 1, JSON is text. */
import type { Generated } from 'kysely'

/** What every resource of the API has, but not every internal record. */
export interface Standard {
  id: string
  project_id: string
  description: string
  created_at: string
  updated_at: string
  revision_number: number
}

export interface NetworkRow extends Standard {
  name: string
  status: string
  admin_state_up: number
  mtu: number
  port_security_enabled: number
  dns_domain: string
  is_external: number
  is_default: number
  /** JSON list of names. */
  availability_zone_hints: string
}

export interface SegmentRow {
  id: string
  network_id: string
  network_type: string
  physical_network: string | null
  segmentation_id: number | null
  segment_index: number
}

/** A segment that is taken; the key is what no two networks may have. */
export interface SegmentAllocationRow {
  network_type: string
  /** Empty for tunnels. */
  physical_network: string
  /** 0 for flat. */
  segmentation_id: number
}

export interface SubnetRow extends Standard {
  name: string
  network_id: string
  subnetpool_id: string | null
  ip_version: number
  cidr: string
  gateway_ip: string | null
  enable_dhcp: number
  ipv6_ra_mode: string | null
  ipv6_address_mode: string | null
  /** JSON. */
  dns_nameservers: string
  host_routes: string
  service_types: string
}

export interface AllocationPoolRow {
  id: string
  subnet_id: string
  first_ip: string
  last_ip: string
}

export interface AllocationRow {
  subnet_id: string
  ip_address: string
  network_id: string
  port_id: string
  /** Order within the port. */
  position: number
}

export interface PortRow extends Standard {
  name: string
  network_id: string
  mac_address: string
  admin_state_up: number
  status: string
  device_id: string
  device_owner: string
  ip_allocation: string
  port_security_enabled: number
  dns_name: string
  propagate_uplink_status: number
  numa_affinity_policy: string | null
}

export interface PortBindingRow {
  port_id: string
  /** Empty: unbound. */
  host: string
  vif_type: string
  vnic_type: string
  /** JSON. */
  vif_details: string
  profile: string
  /** The segment that the driver chose. */
  segment_id: string | null
}

/** What a port still waits for before it is ACTIVE. */
export interface ProvisioningBlockRow {
  port_id: string
  entity: 'L2' | 'DHCP'
}

export interface AddressPairRow {
  port_id: string
  mac_address: string
  ip_address: string
}

export interface ExtraDhcpOptionRow {
  id: string
  port_id: string
  opt_name: string
  opt_value: string
  ip_version: number
}

export interface SecurityGroupRow extends Standard {
  name: string
  stateful: number
}

export interface SecurityGroupRuleRow extends Standard {
  security_group_id: string
  direction: string
  ethertype: string
  protocol: string | null
  port_range_min: number | null
  port_range_max: number | null
  remote_ip_prefix: string | null
  remote_group_id: string | null
  remote_address_group_id: string | null
  /** The rule in normal form: no group has the same twice. */
  fingerprint: string
}

export interface PortSecurityGroupRow {
  port_id: string
  security_group_id: string
}

export interface DefaultSecurityGroupRow {
  project_id: string
  security_group_id: string
}

export interface AddressGroupRow extends Standard {
  name: string
}

export interface AddressGroupAddressRow {
  address_group_id: string
  address: string
}

export interface AddressScopeRow extends Standard {
  name: string
  ip_version: number
}

export interface SubnetPoolRow extends Standard {
  name: string
  ip_version: number
  default_prefixlen: number
  min_prefixlen: number
  max_prefixlen: number
  default_quota: number | null
  address_scope_id: string | null
  is_default: number
}

export interface SubnetPoolPrefixRow {
  subnetpool_id: string
  cidr: string
}

export interface AgentRow {
  id: string
  agent_type: string
  binary: string
  topic: string
  host: string
  availability_zone: string | null
  admin_state_up: number
  description: string | null
  created_at: string
  started_at: string
  heartbeat_timestamp: string
  /** JSON. */
  configurations: string
}

export interface DhcpBindingRow {
  network_id: string
  dhcp_agent_id: string
}

export interface QuotaRow {
  project_id: string
  resource: string
  limit: number
}

/** A row that transactions of one project update first, so that a limit is never passed by two at once. */
export interface ProjectTurnRow {
  project_id: string
  turn: number
}

export interface RbacPolicyRow {
  id: string
  project_id: string
  object_type: string
  object_id: string
  action: string
  /** A project's id, or `*`. */
  target_project: string
}

export interface TagRow {
  resource_id: string
  tag: string
}

/** What compute has not been told yet. */
export interface ComputeEventRow {
  id: Generated<number>
  /** JSON. */
  event: string
  created_at: string
  /** The process that delivers it, and until when nobody else may; both empty until one takes it up. */
  owner: Generated<string>
  lease_expires_at: Generated<string>
}

/** One row: the revision of the newest row of `agent_changes`. */
export interface AgentRevisionRow {
  id: number
  /** Made with the database: a revision of another database says nothing of this one. */
  epoch: string
  revision: number
}

/** What one transaction changed for agents. */
export interface AgentChangeRow {
  revision: number
  changes: string
  created_at: string
}

export interface FlavorRow {
  id: string
  name: string
  description: string
  service_type: string
  enabled: number
}

export interface ServiceProfileRow {
  id: string
  description: string
  driver: string
  metainfo: string
  enabled: number
}

export interface FlavorServiceProfileRow {
  flavor_id: string
  service_profile_id: string
}

export interface Tables {
  networks: NetworkRow
  networksegments: SegmentRow
  ml2_segment_allocations: SegmentAllocationRow
  subnets: SubnetRow
  ipallocationpools: AllocationPoolRow
  ipallocations: AllocationRow
  ports: PortRow
  ml2_port_bindings: PortBindingRow
  provisioningblocks: ProvisioningBlockRow
  allowedaddresspairs: AddressPairRow
  extradhcpopts: ExtraDhcpOptionRow
  securitygroups: SecurityGroupRow
  securitygrouprules: SecurityGroupRuleRow
  securitygroupportbindings: PortSecurityGroupRow
  default_security_group: DefaultSecurityGroupRow
  address_groups: AddressGroupRow
  address_associations: AddressGroupAddressRow
  address_scopes: AddressScopeRow
  subnetpools: SubnetPoolRow
  subnetpoolprefixes: SubnetPoolPrefixRow
  agents: AgentRow
  networkdhcpagentbindings: DhcpBindingRow
  quotas: QuotaRow
  project_turns: ProjectTurnRow
  rbac_policies: RbacPolicyRow
  tags: TagRow
  compute_events: ComputeEventRow
  agent_revision: AgentRevisionRow
  agent_changes: AgentChangeRow
  flavors: FlavorRow
  serviceprofiles: ServiceProfileRow
  flavorserviceprofilebindings: FlavorServiceProfileRow
}
