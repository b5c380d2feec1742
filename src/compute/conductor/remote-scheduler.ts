import type { Bus } from '../../base/bus/bus.ts'
import { rpcClient } from '../../base/bus/rpc.ts'
import { describeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { schedulerRpc } from '../rpc/scheduler.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

/** That builds succeed on a host is told again after so long, not with each build. */
const toldAgainMilliseconds = 60_000
/** Most servers of groups that are remembered until they run. */
const mostGrouped = 10_000

/** The schedulers of other processes, as one. */
export function remoteScheduler(bus: Bus, log: Logger): Scheduler {
  const client = rpcClient(bus, schedulerRpc)
  const succeededAt = new Map<string, number>()
  const grouped = new Set<string>()
  // Schedulers only remember these for a while; one that does not hear of it chooses a little worse.
  const tell = (telling: Promise<unknown>): void => {
    telling.catch((error: unknown) =>
      log.warn({ reason: describeError(error) }, 'the schedulers were not told'),
    )
  }
  return {
    async select(spec, excludedHosts) {
      const selection = await client.select_destinations({ spec, excludedHosts: [...excludedHosts] })
      if (spec.groupUuid !== null && grouped.size < mostGrouped) grouped.add(spec.instanceUuid)
      return selection
    },
    forget(instanceUuid) {
      if (grouped.delete(instanceUuid)) tell(client.forget({ instanceUuid }))
    },
    noteBuild(host, succeeded) {
      const now = Date.now()
      if (succeeded && now - (succeededAt.get(host) ?? 0) < toldAgainMilliseconds) return
      if (succeeded) succeededAt.set(host, now)
      else succeededAt.delete(host)
      tell(client.buildEnded({ host, succeeded }))
    },
    hostsChanged: () => tell(client.hostsChanged({})),
  }
}
