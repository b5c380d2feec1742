import type { Kysely } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { type InstanceChanges, moveInstance, setNetworkInfo } from '../store/instance-changes.ts'
import type { NetworkInfo } from '../store/network-info.ts'

/** Every task but `deleting`: a build must not paint over what the user asked for since. */
const buildTasks = [null, 'scheduling', 'networking', 'block_device_mapping', 'spawning'] as const

const whileBuilt = { vmStates: ['building'], taskStates: buildTasks }

/** Changes an instance that is being built; false when it is being deleted, or built already. */
export const enterTask = (db: Db<CellTables>, uuid: string, changes: InstanceChanges): Promise<boolean> =>
  moveInstance(db, uuid, whileBuilt, changes)

/** Keeps what the instance's interfaces are, and enters the task that follows. */
export async function saveInterfaces(
  db: Kysely<CellTables>,
  uuid: string,
  info: NetworkInfo,
  task: string | null,
): Promise<void> {
  const entered = { from: whileBuilt, changes: { task_state: task } }
  await setNetworkInfo(db, uuid, info, task === null ? undefined : entered)
}
