/**
 * Instances that say something is done to them, while no flow does it: the API wrote the state and died before it wrote
 * the flow. A delete is asked for again, any other task is taken back; an instance that nobody builds is in ERROR.
 */
import type { Kysely } from 'kysely'
import { Fault } from '../../../base/errors.ts'
import { listFlows, openFlow } from '../../../base/flow/store.ts'
import { newRequestId } from '../../../base/ids.ts'
import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { Cells } from '../../cells/open-cells.ts'
import { serverSubject } from '../../rpc/request-work.ts'
import type { ApiTables } from '../../store/api-tables.ts'
import { inReachable } from '../../store/cell-dbs.ts'
import { moveInstance } from '../../store/instance-changes.ts'
import { type Failure, failInstance } from '../record-instance.ts'

export interface SettleDeps {
  apiDb: Kysely<ApiTables>
  cells: Cells
  wake(subject: string): void
  /** Whoever wrote a state before is dead: this is the only process, and it began then. */
  aloneSince?: string
  log: Logger
}

/** An API process may be between its two writes. */
const graceMilliseconds = 60_000

export function settleTasks({ apiDb, cells, wake, log, aloneSince = '' }: SettleDeps): Task {
  return {
    name: 'settle-tasks',
    everySeconds: 30,
    retrySeconds: 5,
    async run() {
      const graceEnd = new Date(Date.now() - graceMilliseconds).toISOString()
      const before = graceEnd > aloneSince ? graceEnd : aloneSince
      await inReachable(cells.withHosts(), async (cell) => {
        const rows = await cell.db
          .selectFrom('instances')
          .select(['uuid', 'task_state', 'vm_state'])
          .where('deleted', '=', 0)
          .where('task_state', 'is not', null)
          // What was never changed since it was made has no other time.
          .where((e) => e.fn.coalesce('updated_at', 'created_at'), '<', before)
          .execute()
        for (const { uuid, task_state: task, vm_state: state } of rows) {
          const subject = serverSubject(uuid)
          if ((await listFlows(apiDb, subject)).length > 0) continue
          log.warn({ uuid, task }, 'an instance has a task that nobody works on')
          if (task === 'deleting') {
            const requestId = newRequestId()
            const input = { uuid, requestId }
            await openFlow(apiDb, { kind: 'delete-server', subject, input, requestId })
            wake(subject)
          } else if (state === 'building')
            await failInstance(cell.db, lostBuild(uuid), { host: null, node: null })
          else await moveInstance(cell.db, uuid, { taskStates: [task] }, { task_state: null })
        }
      })
    },
  }
}

const lostBuild = (uuid: string): Failure => ({
  uuid,
  requestId: newRequestId(),
  event: 'compute__do_build_and_run_instance',
  host: null,
  error: new Fault(
    'unavailable',
    'Whoever built the server died, and nothing says how far it came. Delete it.',
  ),
})
