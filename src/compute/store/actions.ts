/** What was done to a server, by whom, and how each part of it went: `openstack server event list`. */
import type { Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import type { Db } from '../../base/db/database.ts'
import { insertNumberedStatement, insertStatement, statement } from '../../base/db/statement.ts'
import type { CellTables, InstanceActionsEventsTable, InstanceActionsTable } from './cell-tables.ts'

export type ActionRow = Selectable<InstanceActionsTable>
export type ActionEventRow = Selectable<InstanceActionsEventsTable>

export interface NewAction {
  action: string
  instanceUuid: string
  requestId: string
  userId: string
  projectId: string
  startTime?: string
}

/** Begins an action, and gives its id. */
export async function insertAction(db: Db<CellTables>, action: NewAction): Promise<number> {
  const now = timestamp()
  return await insertRow(db, {
    action: action.action,
    instance_uuid: action.instanceUuid,
    request_id: action.requestId,
    user_id: action.userId,
    project_id: action.projectId,
    start_time: action.startTime ?? now,
    finish_time: null,
    message: null,
    created_at: now,
    updated_at: now,
  })
}

const insertRow = insertNumberedStatement<CellTables, 'instance_actions'>('instance_actions')
const insertEvent = insertStatement<CellTables, 'instance_actions_events'>('instance_actions_events')
const selectAction = statement((db: Db<CellTables>, p: { uuid: string; requestId: string }) =>
  db
    .selectFrom('instance_actions')
    .selectAll()
    .where('instance_uuid', '=', p.uuid)
    .where('request_id', '=', p.requestId)
    .orderBy('id', 'desc')
    .limit(1),
)
const updateFinished = statement(
  (db: Db<CellTables>, p: { id: number; now: string; message: string | null }) =>
    db
      .updateTable('instance_actions')
      .set({ updated_at: p.now, finish_time: p.now, message: p.message })
      .where('id', '=', p.id),
)

export interface FinishedEvent {
  /** `compute_stop_instance`. */
  event: string
  startTime: string
  host: string | null
  /** What went wrong; absent: Success. */
  error?: string
}

/** Ends the action of a request, which is looked for unless its id is known, with the event that its work is shown as. */
export async function finishAction(
  db: Db<CellTables>,
  at: { instanceUuid: string; requestId: string; actionId?: number | undefined },
  event: FinishedEvent,
): Promise<void> {
  const actionId = at.actionId ?? (await findAction(db, at.instanceUuid, at.requestId))?.id
  if (actionId === undefined) return
  const now = timestamp()
  await insertEvent(db, {
    event: event.event,
    action_id: actionId,
    start_time: event.startTime,
    finish_time: now,
    result: event.error === undefined ? 'Success' : 'Error',
    traceback: event.error ?? null,
    details: event.error ?? null,
    host: event.host,
    created_at: now,
    updated_at: now,
  })
  await updateFinished(db, { id: actionId, now, message: event.error === undefined ? null : 'Error' })
}

export async function findAction(
  db: Db<CellTables>,
  uuid: string,
  requestId: string,
): Promise<ActionRow | undefined> {
  return (await selectAction(db, { uuid, requestId })).rows[0]
}

/** Newest first. */
export function listActions(
  db: Db<CellTables>,
  uuid: string,
  page: { limit?: number; marker?: string; changesSince?: string; changesBefore?: string } = {},
): Promise<ActionRow[]> {
  let query = db
    .selectFrom('instance_actions')
    .selectAll()
    .where('instance_uuid', '=', uuid)
    .orderBy('id', 'desc')
  if (page.marker !== undefined) {
    const after = db
      .selectFrom('instance_actions')
      .select((e) => e.fn.max('id').as('id'))
      .where('instance_uuid', '=', uuid)
      .where('request_id', '=', page.marker)
    query = query.where('id', '<', after as never)
  }
  if (page.changesSince !== undefined) query = query.where('updated_at', '>=', page.changesSince)
  if (page.changesBefore !== undefined) query = query.where('updated_at', '<=', page.changesBefore)
  if (page.limit !== undefined) query = query.limit(page.limit)
  return query.execute()
}

/** Newest first. */
export function listActionEvents(
  db: Db<CellTables>,
  actionIds: readonly number[],
): Promise<ActionEventRow[]> {
  if (actionIds.length === 0) return Promise.resolve([])
  return db
    .selectFrom('instance_actions_events')
    .selectAll()
    .where('action_id', 'in', actionIds)
    .orderBy('id', 'desc')
    .execute()
}
