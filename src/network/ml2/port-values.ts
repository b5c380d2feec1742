/** A port as a checked body gives it. */
import type { WantedIp } from '../ipam/allocate.ts'

export interface AddressPair {
  ip_address: string
  mac_address?: string
}

export interface DhcpOption {
  opt_name: string
  opt_value: string | null
  ip_version?: number
}

/** What an update may change; absent: as it is. */
export interface PortChanges {
  name?: string
  description?: string
  admin_state_up?: boolean
  device_id?: string
  device_owner?: string
  mac_address?: string
  fixed_ips?: readonly WantedIp[]
  security_groups?: readonly string[]
  port_security_enabled?: boolean
  allowed_address_pairs?: readonly AddressPair[]
  extra_dhcp_opts?: readonly DhcpOption[] | null
  dns_name?: string
  numa_affinity_policy?: string | null
  'binding:host_id'?: string | null
  'binding:profile'?: Record<string, unknown> | null
  'binding:vnic_type'?: string
}

export interface NewPort extends PortChanges {
  project_id: string
  network_id: string
  propagate_uplink_status?: boolean
}
