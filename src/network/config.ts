/** Network's settings under neutron's names in camel case, with neutron's defaults unless said. */

export interface NetworkOptions {
  /** `[ml2]` */
  typeDrivers: readonly string[]
  tenantNetworkTypes: readonly string[]
  mechanismDrivers: readonly string[]
  extensionDrivers: readonly string[]
  pathMtu: number
  /** `physnet:mtu`. */
  physicalNetworkMtus: readonly string[]
  /** Physical networks that flat networks may use; `*`: any. */
  flatNetworks: readonly string[]
  /** `physnet:first:last`, or `physnet` for admins only. */
  networkVlanRanges: readonly string[]
  /** `first:last`. */
  vniRanges: readonly string[]
  /** `[DEFAULT]` */
  globalPhysnetMtu: number
  baseMac: string
  dnsDomain: string
  maxAllowedAddressPair: number
  maxDnsNameservers: number
  maxSubnetHostRoutes: number
  agentDownTimeSeconds: number
  dhcpAgentsPerNetwork: number
  networkAutoSchedule: boolean
  allowAutomaticDhcpFailover: boolean
  defaultAvailabilityZones: readonly string[]
  /** -1: no limit. */
  paginationMaxLimit: number
  allowBulk: boolean
  filterValidation: boolean
  notifyNovaOnPortStatusChanges: boolean
  notifyNovaOnPortDataChanges: boolean
  /** `[quotas]`: by resource name. */
  quotas: Readonly<Record<string, number>>
  defaultQuota: number
  /** `[securitygroup]` */
  enableSecurityGroup: boolean
}

export const defaultNetworkOptions: NetworkOptions = {
  typeDrivers: ['local', 'flat', 'vlan', 'vxlan'],
  tenantNetworkTypes: ['vxlan'],
  mechanismDrivers: ['linuxbridge'],
  extensionDrivers: ['port_security', 'dns'],
  pathMtu: 0,
  physicalNetworkMtus: [],
  flatNetworks: ['*'],
  networkVlanRanges: [],
  vniRanges: ['1:1000'],
  globalPhysnetMtu: 1500,
  baseMac: 'fa:16:3e:00:00:00',
  dnsDomain: 'openstacklocal',
  maxAllowedAddressPair: 10,
  maxDnsNameservers: 5,
  maxSubnetHostRoutes: 20,
  agentDownTimeSeconds: 75,
  dhcpAgentsPerNetwork: 1,
  networkAutoSchedule: true,
  allowAutomaticDhcpFailover: true,
  defaultAvailabilityZones: [],
  paginationMaxLimit: -1,
  allowBulk: true,
  filterValidation: true,
  notifyNovaOnPortStatusChanges: true,
  notifyNovaOnPortDataChanges: true,
  quotas: {
    network: 100,
    subnet: 100,
    port: 500,
    subnetpool: -1,
    rbac_policy: 10,
    security_group: 10,
    security_group_rule: 100,
  },
  defaultQuota: -1,
  enableSecurityGroup: true,
}
