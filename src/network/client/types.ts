/** What Network tells the other services. */

export interface Network {
  id: string
  name: string
  projectId: string
  adminStateUp: boolean
  status: string
  shared: boolean
  external: boolean
  mtu: number
  portSecurityEnabled: boolean
  subnetIds: string[]
  dnsDomain: string
  /** Null where the caller may not see them. */
  physicalNetwork: string | null
  networkType: string | null
  segmentationId: number | null
}

/** What decides whether a server may be on a network. */
export type UsableNetwork = Pick<Network, 'id' | 'subnetIds' | 'external' | 'shared'>

export interface Subnet {
  id: string
  name: string
  networkId: string
  projectId: string
  ipVersion: 4 | 6
  cidr: string
  gatewayIp: string | null
  enableDhcp: boolean
  dnsNameservers: string[]
  hostRoutes: { destination: string; nexthop: string }[]
  ipv6AddressMode: string | null
  ipv6RaMode: string | null
}

export interface Port {
  id: string
  name: string
  projectId: string
  networkId: string
  macAddress: string
  /** `ACTIVE`, `DOWN`, `BUILD` or `N/A`. */
  status: string
  adminStateUp: boolean
  deviceId: string
  deviceOwner: string
  fixedIps: { subnetId: string; ipAddress: string }[]
  securityGroupIds: string[]
  portSecurityEnabled: boolean
  dnsName: string
  /** Empty when unbound; the binding is null where the caller may not see it. */
  host: string | null
  vnicType: string
  /** `bridge`, `unbound`, `binding_failed`. */
  vifType: string | null
  vifDetails: Record<string, unknown>
  profile: Record<string, unknown>
}

export interface NewPort {
  networkId: string
  projectId?: string
  name?: string
  adminStateUp?: boolean
  deviceId?: string
  /** `compute:<availability zone>`. */
  deviceOwner?: string
  host?: string
  macAddress?: string
  /** Either an address, a subnet, or both. */
  fixedIps?: readonly { subnetId?: string; ipAddress?: string }[]
  securityGroupIds?: readonly string[]
  portSecurityEnabled?: boolean
  dnsName?: string
  profile?: Record<string, unknown>
}

/** Absent: as it is. An empty `host` unbinds. */
export type PortUpdate = Partial<Omit<NewPort, 'networkId' | 'projectId'>>

export interface SecurityGroup {
  id: string
  name: string
  description: string
  projectId: string
  stateful: boolean
  rules: {
    id: string
    direction: 'ingress' | 'egress'
    ethertype: string
    protocol: string | null
    portRangeMin: number | null
    portRangeMax: number | null
    remoteIpPrefix: string | null
    remoteGroupId: string | null
  }[]
}

export interface SecurityGroupNames {
  name: string
  description: string
}

/** Null ports: all of them. */
export interface NewSecurityGroupRule {
  securityGroupId: string
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  protocol: string
  portRangeMin: number | null
  portRangeMax: number | null
  remoteIpPrefix: string | null
  remoteGroupId: string | null
}

/** By resource name: `network`, `subnet`, `port`, `security_group`, `security_group_rule`; limit -1: none. */
export type QuotaSet = Record<string, { limit: number; used: number; reserved: number }>

/** One interface of a server: all that its network info is made of. */
export interface NetworkInterface {
  port: Port
  network: Network
  /** Those that the port has addresses of. */
  subnets: Subnet[]
}
