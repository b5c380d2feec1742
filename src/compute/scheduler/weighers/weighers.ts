/** nova's default weighers with their default multipliers. */
import type { Candidate, Filter, SchedulingContext, Weigher } from '../host-state.ts'

const groupMembersThere = (host: Candidate, { group, hostOf }: SchedulingContext): number =>
  group?.members.filter((uuid) => hostOf.get(uuid) === host.host).length ?? 0

export const defaultWeighers: readonly Weigher[] = [
  { name: 'RAMWeigher', multiplier: 1, weigh: (host) => host.freeRamMb },
  { name: 'CPUWeigher', multiplier: 1, weigh: (host) => host.freeVcpus },
  { name: 'DiskWeigher', multiplier: 1, weigh: (host) => host.freeDiskGb },
  { name: 'IoOpsWeigher', multiplier: -1, weigh: (host) => host.ioOps },
  {
    name: 'ServerGroupSoftAffinityWeigher',
    multiplier: 1,
    weigh: (host, context) =>
      context.group?.policy === 'soft-affinity' ? groupMembersThere(host, context) : 0,
  },
  {
    name: 'ServerGroupSoftAntiAffinityWeigher',
    multiplier: -1,
    weigh: (host, context) =>
      context.group?.policy === 'soft-anti-affinity' ? groupMembersThere(host, context) : 0,
  },
  // A host that failed to build lately comes last, whatever else speaks for it.
  { name: 'BuildFailureWeigher', multiplier: -1_000_000, weigh: (host) => host.failedBuilds },
]

/** Those that no filter refuses, with why each other was refused. */
export function filterHosts(
  hosts: readonly Candidate[],
  filters: readonly Filter[],
  context: SchedulingContext,
  refused: (host: Candidate, why: string) => void,
): Candidate[] {
  return hosts.filter((host) => {
    for (const filter of filters) {
      const reason = filter.refuses(host, context)
      if (reason === undefined) continue
      refused(host, `${filter.name}: ${reason}`)
      return false
    }
    return true
  })
}

/** Best first; equal ones in no order, so that schedulers do not all take the same host. */
export function rankHosts(
  hosts: readonly Candidate[],
  weighers: readonly Weigher[],
  context: SchedulingContext,
): Candidate[] {
  if (hosts.length < 2) return [...hosts]
  const totals = new Map(hosts.map((host) => [host, Math.random() * 1e-6]))
  for (const weigher of weighers) {
    const weights = hosts.map((host) => weigher.weigh(host, context))
    const [least, most] = [Math.min(...weights), Math.max(...weights)]
    if (least === most) continue
    for (const [index, host] of hosts.entries()) {
      const share = (weights[index]! - least) / (most - least)
      totals.set(host, totals.get(host)! + share * weigher.multiplier)
    }
  }
  return hosts.toSorted((a, b) => totals.get(b)! - totals.get(a)!)
}
