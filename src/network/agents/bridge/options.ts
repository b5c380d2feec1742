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
}

export const defaultBridgeOptions: BridgeOptions = {
  physicalInterfaceMappings: {},
  bridgeMappings: {},
  vxlan: { enabled: false, localIp: '', l2Population: true, group: '224.0.0.1', udpPort: 8472 },
}
