/** A port's chains, made anew only when the port or one of its groups changed: a host may have a thousand ports. */
import type { WantedL2, WantedPort } from '../../rpc/agents.ts'
import type { CloudNames } from '../names.ts'
import { type PortChains, portChains } from './port-chains.ts'
import type { ProtocolNames } from './rule-text.ts'

export function createChainCache(names: CloudNames) {
  const cache = new Map<string, { key: string; chains: PortChains }>()
  return {
    chainsOf(port: WantedPort, groups: WantedL2['securityGroups'], protocols: ProtocolNames): PortChains {
      const { status: _, ...rest } = port
      const key = JSON.stringify([rest, port.securityGroupIds.map((id) => groups[id])])
      const known = cache.get(port.id)
      if (known?.key === key) return known.chains
      const chains = portChains(port, groups, names, protocols)
      cache.set(port.id, { key, chains })
      return chains
    },
    keepOnly(ports: readonly WantedPort[]): void {
      const wanted = new Set(ports.map((port) => port.id))
      for (const id of cache.keys()) if (!wanted.has(id)) cache.delete(id)
    },
  }
}
