/** A port's chains, made anew only when the port or one of its groups changed: a host may have a thousand ports. */
import type { WantedL2, WantedPort } from '../../rpc/agents.ts'
import type { CloudNames } from '../names.ts'
import { type PortChains, portChains } from './port-chains.ts'
import type { ProtocolNames } from './rule-text.ts'

export function createChainCache(names: CloudNames) {
  const cache = new Map<string, { key: string; port: WantedPort; chains: PortChains }>()
  const restricted = new Map<string, WantedPort>()
  const groupVersions = createVersions()
  return {
    chainsOf(port: WantedPort, groups: WantedL2['securityGroups'], protocols: ProtocolNames): PortChains {
      const { status: _, ...rest } = port
      const versions = port.securityGroupIds.map((id) => groupVersions.of(id, groups[id]))
      const key = `${versions} ${JSON.stringify(rest)}`
      const known = cache.get(port.id)
      if (known?.key === key) return known.chains
      const chains = portChains(port, groups, names, protocols)
      if (known !== undefined && allowsLess(known.chains, chains)) restricted.set(port.id, known.port)
      cache.set(port.id, { key, port, chains })
      return chains
    },
    keepOnly(ports: readonly WantedPort[]): void {
      const wanted = new Set(ports.map((port) => port.id))
      for (const [id, { port }] of cache) {
        if (wanted.has(id)) continue
        cache.delete(id)
        restricted.set(id, port)
      }
    },
    /** Ports, as they were, that may do less than before or are gone: their open connections must end. */
    restricted: () => [...restricted.values()],
    clearRestricted: () => restricted.clear(),
  }
}

/** A number for each content a group had, so that a hundred ports of a group do not each compare its rules. */
function createVersions() {
  const seen = new Map<string, { group: unknown; text: string; version: number }>()
  let count = 0
  return {
    of(id: string, group: WantedL2['securityGroups'][string] | undefined): number {
      const last = seen.get(id)
      if (last !== undefined && last.group === group) return last.version
      const text = JSON.stringify(group ?? null)
      const version = last?.text === text ? last.version : ++count
      seen.set(id, { group, text, version })
      return version
    },
  }
}

function allowsLess(before: PortChains, after: PortChains): boolean {
  return (['ipv4', 'ipv6'] as const).some((family) =>
    [...before[family]].some(([name, rules]) => {
      const now = new Set(after[family].get(name))
      return rules.some((rule) => rule.endsWith('-j RETURN') && !now.has(rule))
    }),
  )
}
