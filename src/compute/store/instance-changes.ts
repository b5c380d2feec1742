/** What changes in an instance while it lives, and its end. */
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import type { CellTables } from './cell-tables.ts'
import type { InstanceRow } from './instance-records.ts'
import type { NetworkInfo } from './network-info.ts'

export type InstanceChanges = Partial<Omit<InstanceRow, 'id' | 'uuid' | 'created_at' | 'updated_at'>>

/** False when the instance is gone. */
export async function updateInstance(
  db: Db<CellTables>,
  uuid: string,
  changes: InstanceChanges,
): Promise<boolean> {
  return await moveInstance(db, uuid, {}, changes)
}

/**
 * Compare-and-swap: changes a living instance that is in one of these states; false when another was first. A null
 * among the task states means: no task. `withParts`: what other tables hold of it changes in the same transaction.
 */
export async function moveInstance(
  db: Db<CellTables>,
  uuid: string,
  from: StatesFrom,
  changes: InstanceChanges,
  { withParts = false }: { withParts?: boolean } = {},
): Promise<boolean> {
  const columns = Object.keys(changes)
  const { vmStates, taskStates, seen } = from
  const shape = `${columns} ${vmStates} ${taskStates?.map(String)} ${seen === undefined} ${withParts}`
  let update = updates.get(shape)
  if (update === undefined) {
    update = updateOf(columns, from, withParts)
    updates.set(shape, update)
  }
  const values = { ...changes, uuid, updated_at: timestamp(), seen: seen ?? '' }
  return (await update(db, values)).changed === 1
}

export interface StatesFrom {
  vmStates?: readonly string[]
  taskStates?: readonly (string | null)[]
  /** `updated_at` as it was read: nothing has changed the instance since. */
  seen?: string
}

// The states and columns of a change are written in the code: there are only so many.
const updates = new Map<string, ReturnType<typeof updateOf>>()

function updateOf(columns: readonly string[], from: StatesFrom, withParts: boolean) {
  const { vmStates, taskStates, seen } = from
  type Values = InstanceChanges & { uuid: string; updated_at: string; seen: string }
  return statement((db: Db<CellTables>, p: Values) => {
    const values = Object.fromEntries(columns.map((column) => [column, p[column as keyof InstanceChanges]]))
    let query = db
      .updateTable('instances')
      .set((e) => ({
        ...values,
        updated_at: p.updated_at,
        revision: e('revision', '+', 1),
        ...(withParts ? { parts_revision: e('parts_revision', '+', 1) } : {}),
      }))
      .where('uuid', '=', p.uuid)
      .where('deleted', '=', 0)
    if (seen !== undefined) query = query.where('updated_at', '=', p.seen)
    if (vmStates !== undefined) query = query.where('vm_state', 'in', vmStates)
    if (taskStates !== undefined) {
      const named = taskStates.filter((state) => state !== null)
      query = query.where((e) =>
        e.or([
          ...(taskStates.includes(null) ? [e('task_state', 'is', null)] : []),
          ...(named.length > 0 ? [e('task_state', 'in', named)] : []),
        ]),
      )
    }
    return query
  })
}

/**
 * Tells readers that what other tables hold of an instance has changed: in the transaction that changes it. Also makes
 * others who change it wait until that ended. False when there is no record of it.
 */
export async function notePartsChanged(db: Db<CellTables>, uuid: string): Promise<boolean> {
  return (await raiseRevisions(db, { uuid })).changed === 1
}

const raiseRevisions = statement((db: Db<CellTables>, p: { uuid: string }) =>
  db
    .updateTable('instances')
    .set((e) => ({ revision: e('revision', '+', 1), parts_revision: e('parts_revision', '+', 1) }))
    .where('uuid', '=', p.uuid),
)

/** Marks an instance deleted; its row stays for those who ask about deleted servers. */
export async function softDeleteInstance(db: Db<CellTables>, uuid: string): Promise<void> {
  const now = timestamp()
  await markDeleted(db, { uuid, now })
  await removeTags(db, { uuid })
}

const markDeleted = statement((db: Db<CellTables>, p: { uuid: string; now: string }) =>
  db
    .updateTable('instances')
    .set((e) => ({
      deleted: e.ref('id'),
      deleted_at: p.now,
      terminated_at: p.now,
      updated_at: p.now,
      vm_state: 'deleted',
      task_state: null,
      power_state: 0,
      revision: e('revision', '+', 1),
      parts_revision: e('parts_revision', '+', 1),
    }))
    .where('uuid', '=', p.uuid)
    .where('deleted', '=', 0),
)
const removeTags = statement((db: Db<CellTables>, p: { uuid: string }) =>
  db.deleteFrom('tags').where('resource_id', '=', p.uuid),
)

/** Removes every trace of an instance that goes to another cell before it ever ran. */
export async function purgeInstance(db: Db<CellTables>, uuid: string): Promise<void> {
  const tables = ['instance_extra', 'instance_info_caches', 'instance_metadata', 'instance_system_metadata']
  for (const table of tables as ['instance_extra']) {
    await db.deleteFrom(table).where('instance_uuid', '=', uuid).execute()
  }
  await db.deleteFrom('tags').where('resource_id', '=', uuid).execute()
  await db.deleteFrom('instance_actions').where('instance_uuid', '=', uuid).execute()
  await db.deleteFrom('instances').where('uuid', '=', uuid).execute()
}

const putNetworkInfo = statement((db: Db<CellTables>, p: { uuid: string; info: string; now: string }) =>
  db
    .insertInto('instance_info_caches')
    .values({ instance_uuid: p.uuid, network_info: p.info, updated_at: p.now })
    .onConflict((conflict) =>
      conflict.column('instance_uuid').doUpdateSet((e) => ({
        network_info: e.ref('excluded.network_info'),
        updated_at: e.ref('excluded.updated_at'),
      })),
    ),
)

/** Keeps what an instance's interfaces are; `move`: and changes the instance where it is in one of these states. */
export async function setNetworkInfo(
  db: Db<CellTables>,
  uuid: string,
  info: NetworkInfo,
  move?: { from: StatesFrom; changes: InstanceChanges },
): Promise<void> {
  await inTransaction(db, async (transaction) => {
    const moved =
      move !== undefined &&
      (await moveInstance(transaction, uuid, move.from, move.changes, { withParts: true }))
    if (!moved && !(await notePartsChanged(transaction, uuid))) return
    await putNetworkInfo(transaction, { uuid, info: JSON.stringify(info), now: timestamp() })
  })
}

export async function readMetadata(db: Db<CellTables>, uuid: string): Promise<Record<string, string>> {
  const rows = await db
    .selectFrom('instance_metadata')
    .select(['key', 'value'])
    .where('instance_uuid', '=', uuid)
    .orderBy('id')
    .execute()
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

/** Replaces all of a server's metadata: in a transaction. */
export async function setMetadata(
  db: Db<CellTables>,
  uuid: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await notePartsChanged(db, uuid)
  await db.deleteFrom('instance_metadata').where('instance_uuid', '=', uuid).execute()
  const rows = Object.entries(metadata).map(([key, value]) => ({ instance_uuid: uuid, key, value }))
  if (rows.length > 0) await db.insertInto('instance_metadata').values(rows).execute()
}

/** Merges keys in. */
export async function mergeSystemMetadata(
  db: Db<CellTables>,
  uuid: string,
  changes: Readonly<Record<string, string>>,
): Promise<void> {
  const keys = Object.keys(changes)
  if (keys.length === 0) return
  const rows = Object.entries(changes).map(([key, value]) => ({ instance_uuid: uuid, key, value }))
  await inTransaction(db, async (transaction) => {
    await removeSystemMetadata(transaction, uuid, keys)
    await transaction.insertInto('instance_system_metadata').values(rows).execute()
  })
}

/** In a transaction. */
export async function removeSystemMetadata(
  db: Db<CellTables>,
  uuid: string,
  keys: readonly string[],
): Promise<void> {
  await notePartsChanged(db, uuid)
  await db
    .deleteFrom('instance_system_metadata')
    .where('instance_uuid', '=', uuid)
    .where('key', 'in', [...keys])
    .execute()
}

/** The guest's name on its host. */
export const guestName = (id: number): string => `instance-${id.toString(16).padStart(8, '0')}`
