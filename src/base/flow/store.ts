/** The table `flows`: each row is a piece of work that is under way, and the lease of the runner that does it. */
import type { Generated, Selectable } from 'kysely'
import { type Clock, systemClock, timestamp } from '../clock.ts'
import type { Db } from '../db/database.ts'
import type { Migration } from '../db/migrate.ts'
import { statement } from '../db/statement.ts'

/** running: the named step runs next. undoing, retrying: the named step is undone next; '' when all are. */
export type FlowState = 'running' | 'undoing' | 'retrying'

export interface FlowsTable {
  id: Generated<number>
  kind: string
  subject: string
  /** JSON. */
  input: string
  step: string
  /** JSON: what each step returned, by its name; '' holds what retries added. */
  outputs: string
  state: FlowState
  /** JSON {step, values}: where a flow in state retrying goes on. */
  retry: string | null
  owner: string | null
  /** Nobody else may touch the flow before; in the past: whoever comes first. */
  lease_expires_at: string
  /** Undos that failed in a row. */
  attempts: number
  /** JSON {kind, message, details}. */
  error: string | null
  request_id: string | null
  created_at: string
  updated_at: string
}

/** What the tables of a database that holds flows must include. */
export interface FlowTables {
  flows: FlowsTable
}

export type FlowRow = Selectable<FlowsTable>

export const addFlows: Migration = {
  name: 'flows-001-initial',
  up: async (db) => {
    await db.schema
      .createTable('flows')
      .ifNotExists()
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('kind', 'varchar(64)', (c) => c.notNull())
      .addColumn('subject', 'varchar(255)', (c) => c.notNull())
      .addColumn('input', 'text', (c) => c.notNull())
      .addColumn('step', 'varchar(64)', (c) => c.notNull())
      .addColumn('outputs', 'text', (c) => c.notNull())
      .addColumn('state', 'varchar(16)', (c) => c.notNull())
      .addColumn('retry', 'text')
      .addColumn('owner', 'varchar(255)')
      .addColumn('lease_expires_at', 'varchar(32)', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('error', 'text')
      .addColumn('request_id', 'varchar(64)')
      .addColumn('created_at', 'varchar(32)', (c) => c.notNull())
      .addColumn('updated_at', 'varchar(32)', (c) => c.notNull())
      .execute()
    await db.schema
      .createIndex('flows_subject_idx')
      .ifNotExists()
      .on('flows')
      .columns(['subject', 'id'])
      .execute()
  },
}

export interface NewFlow {
  kind: string
  subject: string
  input: object
  requestId?: string | undefined
}

/** Writes the intent, in the caller's transaction; then wake a runner with the subject. */
export async function openFlow<T extends FlowTables>(db: Db<T>, flow: NewFlow, clock?: Clock): Promise<void> {
  await insertFlow(flowDb(db), {
    kind: flow.kind,
    subject: flow.subject,
    input: JSON.stringify(flow.input),
    requestId: flow.requestId ?? null,
    now: timestamp(clock ?? systemClock),
  })
}

/** The lease of a flow that anybody may take: earlier than every time, whatever the hosts' clocks say. */
export const free = ''

/** The step of a flow that nobody took up yet: whoever opens it need not know its steps. */
export const notBegun = '<first>'

/**
 * Makes the flows of these kinds on a subject stop and unwind, in the caller's transaction; then wake the runners with
 * the subject. True when there was one.
 */
export async function cancelFlows<T extends FlowTables>(
  db: Db<T>,
  subject: string,
  kinds: readonly string[],
  why: string,
): Promise<boolean> {
  const error = JSON.stringify({ kind: 'gone', message: why, details: {} })
  let cancelled = 0
  for (const kind of kinds) cancelled += (await cancelKind(flowDb(db), { subject, kind, error })).changed
  return cancelled > 0
}

const cancelKind = statement((db: Db<FlowTables>, p: { subject: string; kind: string; error: string }) =>
  db
    .updateTable('flows')
    .set({ state: 'undoing', retry: null, error: p.error })
    .where('subject', '=', p.subject)
    .where('kind', '=', p.kind)
    .where('state', 'in', ['running', 'retrying']),
)

const selectOfKind = statement((db: Db<FlowTables>, p: { subject: string; kind: string }) =>
  db.selectFrom('flows').select('id').where('subject', '=', p.subject).where('kind', '=', p.kind),
)

/** True when a flow of the kind is under way on the subject. */
export async function hasFlow<T extends FlowTables>(
  db: Db<T>,
  subject: string,
  kind: string,
): Promise<boolean> {
  return (await selectOfKind(flowDb(db), { subject, kind })).rows.length > 0
}

/** The flows that are under way on a subject, oldest first. */
export function listFlows<T extends FlowTables>(db: Db<T>, subject?: string): Promise<FlowRow[]> {
  let query = flowDb(db).selectFrom('flows').selectAll().orderBy('id')
  if (subject !== undefined) query = query.where('subject', '=', subject)
  return query.execute()
}

// Kysely cannot see that a database with more tables has this one as well.
export const flowDb = <T extends FlowTables>(db: Db<T>): Db<FlowTables> => db as unknown as Db<FlowTables>

/** Subjects that have a flow nobody holds. */
export async function listFreeSubjects(db: Db<FlowTables>, now: string): Promise<string[]> {
  const rows = await db
    .selectFrom('flows')
    .select('subject')
    .distinct()
    .where('lease_expires_at', '<=', now)
    .limit(1000)
    .execute()
  return rows.map((row) => row.subject)
}

const insertFlow = statement(
  (
    db: Db<FlowTables>,
    p: { kind: string; subject: string; input: string; requestId: string | null; now: string },
  ) =>
    db.insertInto('flows').values({
      kind: p.kind,
      subject: p.subject,
      input: p.input,
      step: notBegun,
      outputs: '{}',
      state: 'running',
      retry: null,
      owner: null,
      lease_expires_at: free,
      attempts: 0,
      error: null,
      request_id: p.requestId,
      created_at: p.now,
      updated_at: p.now,
    }),
)

const selectNext = statement((db: Db<FlowTables>, p: { subject: string }) =>
  db.selectFrom('flows').selectAll().where('subject', '=', p.subject).orderBy('id').limit(2),
)

/** The flow that is next on a subject, and whether another waits behind it. */
export async function findNextFlow(
  db: Db<FlowTables>,
  subject: string,
): Promise<{ row: FlowRow | undefined; isLast: boolean }> {
  const [row, behind] = (await selectNext(db, { subject })).rows
  return { row, isLast: behind === undefined }
}

const updateLease = statement(
  (
    db: Db<FlowTables>,
    p: { id: number; seen: string; owner: string; lease_expires_at: string; step: string },
  ) =>
    db
      .updateTable('flows')
      .set({ owner: p.owner, lease_expires_at: p.lease_expires_at, step: p.step })
      .where('id', '=', p.id)
      .where('lease_expires_at', '=', p.seen),
)

/** Takes a free flow, which is at `step` from now on; false when another was first. */
export async function claimFlow(
  db: Db<FlowTables>,
  row: FlowRow,
  lease: { owner: string; lease_expires_at: string; step: string },
): Promise<boolean> {
  return (await updateLease(db, { id: row.id, seen: row.lease_expires_at, ...lease })).changed === 1
}

/** What a runner holds, and believes of it. */
export interface HeldFlow {
  id: number
  owner: string
  state: FlowState
}

const updateProgress = statement(
  (db: Db<FlowTables>, p: HeldFlow & { step: string; outputs: string; updated_at: string }) =>
    db
      .updateTable('flows')
      .set({ step: p.step, outputs: p.outputs, updated_at: p.updated_at })
      .where('id', '=', p.id)
      .where('owner', '=', p.owner)
      .where('state', '=', p.state),
)

/** Writes that the flow is at its next step; false as for `saveFlow`. */
export async function saveProgress(
  db: Db<FlowTables>,
  held: HeldFlow,
  progress: { step: string; outputs: string; updated_at: string },
): Promise<boolean> {
  return (await updateProgress(db, { ...held, ...progress })).changed === 1
}

/** Writes progress; false when the flow was cancelled or is no longer the owner's. */
export async function saveFlow(
  db: Db<FlowTables>,
  held: HeldFlow,
  changes: Partial<Omit<FlowRow, 'id'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('flows')
    .set(changes)
    .where('id', '=', held.id)
    .where('owner', '=', held.owner)
    .where('state', '=', held.state)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

const deleteFlow = statement((db: Db<FlowTables>, p: HeldFlow) =>
  db.deleteFrom('flows').where('id', '=', p.id).where('owner', '=', p.owner).where('state', '=', p.state),
)

/** Removes a flow that came to its end; false as for `saveFlow`. */
export async function endFlow(db: Db<FlowTables>, held: HeldFlow): Promise<boolean> {
  return (await deleteFlow(db, held)).changed === 1
}

export async function renewLeases(
  db: Db<FlowTables>,
  owner: string,
  ids: readonly number[],
  until: string,
): Promise<void> {
  await db
    .updateTable('flows')
    .set({ lease_expires_at: until })
    .where('owner', '=', owner)
    .where('id', 'in', ids)
    .execute()
}

/** Gives a flow back, whatever became of it meanwhile: it may have been cancelled. */
export async function releaseFlow(
  db: Db<FlowTables>,
  held: Omit<HeldFlow, 'state'>,
  changes: Pick<FlowRow, 'lease_expires_at' | 'attempts'>,
): Promise<void> {
  await db
    .updateTable('flows')
    .set({ owner: null, ...changes })
    .where('id', '=', held.id)
    .where('owner', '=', held.owner)
    .execute()
}

/** Who holds flows now. */
export async function listFlowOwners(db: Db<FlowTables>): Promise<string[]> {
  const rows = await db
    .selectFrom('flows')
    .select('owner')
    .distinct()
    .where('owner', 'is not', null)
    .execute()
  return rows.map((row) => row.owner!)
}

/** Frees the flows of an owner that is known to be dead. */
export async function freeFlowsOf(db: Db<FlowTables>, owner: string): Promise<void> {
  await db
    .updateTable('flows')
    .set({ owner: null, lease_expires_at: free })
    .where('owner', '=', owner)
    .execute()
}
