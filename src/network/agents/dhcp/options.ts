/** What an operator says about DHCP. */
export interface DhcpOptions {
  /** Holds a directory for each network: `<stateDirectory>/dhcp/<network id>`. */
  stateDirectory: string
  /** Guests on networks without a router reach the metadata service through the DHCP port. */
  enableIsolatedMetadata: boolean
  /** Where the metadata agent listens. */
  metadataProxySocket: string
  leaseSeconds: number
  /** Name servers that dnsmasq passes questions on to; without any it knows the network's own names only. */
  dnsServers: readonly string[]
  /** Pass questions on to the host's own name servers. */
  localResolv: boolean
}

export const defaultDhcpOptions = {
  enableIsolatedMetadata: true,
  leaseSeconds: 86400,
  dnsServers: [],
  localResolv: false,
} satisfies Partial<DhcpOptions>

export const metadataAddress = '169.254.169.254'
