/** Networks of DHCP agents that died go to others, and ports do not wait for the dead. */
import type { Task } from '../../base/task/task.ts'
import { releaseUnserved } from '../ml2/provisioning.ts'
import { inWork, type WorkDeps } from '../work.ts'
import { rescheduleDhcp } from './schedule.ts'

export const failover = (deps: WorkDeps): Task => ({
  name: 'dhcp-failover',
  everySeconds: 30,
  run: () =>
    inWork(deps, async (work) => {
      await rescheduleDhcp(work)
      await releaseUnserved(work)
    }),
})
