import type { Bus } from '../../base/bus/bus.ts'
import { serveRpc } from '../../base/bus/rpc.ts'
import { schedulerRpc } from '../rpc/scheduler.ts'
import type { RequestSpec } from '../store/request-specs.ts'
import type { Scheduler } from './scheduler.ts'

/** Answers for a scheduler on the topic `scheduler`, as one of any number. */
export function serveScheduler(bus: Bus, server: string, scheduler: Scheduler): Promise<AsyncDisposable> {
  return serveRpc(
    bus,
    schedulerRpc,
    { server },
    {
      // What conductors send is what they read from the same database.
      select_destinations: ({ spec, excludedHosts }) => scheduler.select(spec as RequestSpec, excludedHosts),
      forget: ({ instanceUuid }) => scheduler.forget(instanceUuid),
      buildEnded: ({ host, succeeded }) => scheduler.noteBuild(host, succeeded),
      hostsChanged: () => scheduler.hostsChanged(),
    },
  )
}
