/** Networks and subnets by id, remembered for half a minute: each boot asks for them, and they hardly change. */
import type { Network, NetworkClient, NetworkInterface, Port, Subnet } from '#network/client.ts'

export interface NetworkDirectory {
  /** The ports with their networks and the subnets they have addresses of. */
  interfacesOf(ports: readonly Port[]): Promise<NetworkInterface[]>
  /** Read again what is asked for next. */
  forget(networkId?: string): void
}

interface Kept {
  at: number
  read: Promise<{ network: Network; subnets: Subnet[] } | undefined>
}

const keepMilliseconds = 30_000
const mostKept = 1000

export function createNetworkDirectory(client: NetworkClient): NetworkDirectory {
  const kept = new Map<string, Kept>()

  async function readNetwork(id: string) {
    const [networks, subnets] = await Promise.all([
      client.listNetworks({ ids: [id] }),
      client.listSubnets({ networkIds: [id] }),
    ])
    const [network] = networks
    return network === undefined ? undefined : { network, subnets }
  }

  function find(id: string, fresh: (found: { subnets: Subnet[] }) => boolean): Kept['read'] {
    const known = kept.get(id)
    const read = (): Kept['read'] => {
      const reading = readNetwork(id)
      if (kept.size >= mostKept) kept.clear()
      kept.set(id, { at: Date.now(), read: reading })
      reading.catch(() => kept.delete(id))
      return reading
    }
    if (known === undefined || Date.now() - known.at > keepMilliseconds) return read()
    return known.read.then((found) => (found !== undefined && fresh(found) ? found : read()))
  }

  return {
    async interfacesOf(ports) {
      const found = await Promise.all(
        ports.map(async (port): Promise<NetworkInterface | undefined> => {
          const used = new Set(port.fixedIps.map((ip) => ip.subnetId))
          // A subnet that is not remembered was made since.
          const knowsAll = ({ subnets }: { subnets: Subnet[] }) =>
            used.isSubsetOf(new Set(subnets.map((subnet) => subnet.id)))
          const network = await find(port.networkId, knowsAll)
          if (network === undefined) return undefined
          return {
            port,
            network: network.network,
            subnets: network.subnets.filter((subnet) => used.has(subnet.id)),
          }
        }),
      )
      return found.filter((one) => one !== undefined)
    },
    forget: (networkId) => {
      if (networkId === undefined) kept.clear()
      else kept.delete(networkId)
    },
  }
}
