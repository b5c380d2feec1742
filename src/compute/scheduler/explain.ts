/** Why no host would do, in words for who asked for the server. */
import type { PlacementClient } from '#placement/client.ts'
import type { RequestSpec } from '../store/request-specs.ts'
import type { HostState } from './host-state.ts'
import { candidatesQuery } from './resource-request.ts'

const shownHosts = 10

/** For hosts that placement did not offer: which resource they lack. One question per resource, not per host. */
export async function resourceRefusals(
  placement: PlacementClient,
  spec: RequestSpec,
  resources: Readonly<Record<string, number>>,
  hosts: readonly HostState[],
): Promise<Map<string, string>> {
  const refusals = new Map<string, string>()
  if (hosts.length === 0) return refusals
  const lacking = new Map<string, string[]>(hosts.map((host) => [host.uuid, []]))
  const plain = { ...spec, flavor: { ...spec.flavor, extra_specs: {} }, image: null }
  for (const [name, amount] of Object.entries(resources)) {
    const query = candidatesQuery(plain, { [name]: amount }, { limit: 10_000 })
    const { providerSummaries } = await placement.listAllocationCandidates(query)
    const enough = new Set(Object.values(providerSummaries).map((summary) => summary.root_provider_uuid))
    for (const [uuid, names] of lacking) if (!enough.has(uuid)) names.push(`${amount} of ${name}`)
  }
  for (const host of hosts) {
    const names = lacking.get(host.uuid)!
    const why =
      names.length > 0 ? `does not have ${names.join(' nor ')}` : 'lacks a required trait or resource'
    refusals.set(host.node, `placement: ${why}`)
  }
  return refusals
}

/** `ComputeFilter: the service is down (host1, host2); …`, most hosts first. */
export function explainRefusals(refusals: ReadonlyMap<string, string>): string {
  if (refusals.size === 0) return 'There are no hosts.'
  const byReason = Map.groupBy(refusals, ([, why]) => why)
  return [...byReason]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([why, entries]) => {
      const hosts = entries.map(([host]) => host)
      const more = hosts.length > shownHosts ? ` and ${hosts.length - shownHosts} more` : ''
      return `${hosts.slice(0, shownHosts).join(', ')}${more}: ${why}.`
    })
    .join(' ')
}
