/** What an instance's interfaces are, as nova keeps it in `instance_info_caches`: enough to show its addresses. */
export interface CachedAddress {
  address: string
  type: 'fixed' | 'floating'
  version: 4 | 6
  floating_ips: CachedAddress[]
}

export interface CachedInterface {
  /** The port's id. */
  id: string
  /** The MAC address. */
  address: string
  network: {
    id: string
    /** The network's name: the key in a server's `addresses`. */
    label: string
    bridge: string
    subnets: { cidr: string; version: 4 | 6; gateway: string | null; ips: CachedAddress[] }[]
    meta: { tenant_id: string; mtu: number }
  }
  /** `bridge`, or `unbound`. */
  type: string
  vnic_type: string
  devname: string
  active: boolean
  /** The port was the user's own: it outlives the server. */
  preserve_on_delete: boolean
  /** The tag of the network request, for the guest's device metadata. */
  tag: string | null
}

export type NetworkInfo = readonly CachedInterface[]
