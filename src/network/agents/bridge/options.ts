/** What an operator says about a host's network. */
export interface BridgeOptions {
  /** Physical network → NIC that becomes a port of the network's bridge (`physical_interface_mappings`). */
  physicalInterfaceMappings: Readonly<Record<string, string>>
  /** Physical network → bridge that is there already and carries the network itself (`bridge_mappings`). */
  bridgeMappings: Readonly<Record<string, string>>
  vxlan: {
    enabled: boolean
    /** This host's end of the tunnels. */
    localIp: string
    /** The server says who lives where; else broadcasts go to `group`. */
    l2Population: boolean
    group: string
    udpPort: number
  }
  /** What protects guests, and others from them (`[securitygroup]`). */
  filter: {
    /** False: only forged MAC addresses and ARP are refused; what a guest sends and hears is not filtered. */
    packets: boolean
    /** Members of remote groups stand in sets (`enable_ipset`); else each has a rule of its own. */
    sets: boolean
  }
}

export const defaultBridgeOptions: BridgeOptions = {
  physicalInterfaceMappings: {},
  bridgeMappings: {},
  vxlan: { enabled: false, localIp: '', l2Population: true, group: '224.0.0.1', udpPort: 8472 },
  filter: { packets: true, sets: true },
}
