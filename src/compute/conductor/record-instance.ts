/** The record of an instance: in the cell it is built in, or in cell0 when it cannot be built. */
import type { Kysely } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { isUniqueViolation } from '../../base/db/database.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import { Fault } from '../../base/errors.ts'
import { finishAction, insertAction } from '../store/actions.ts'
import type { ApiTables } from '../store/api-tables.ts'
import { findBuildRequest, takeBuildRequest } from '../store/build-requests.ts'
import { type CellDb, inReachable } from '../store/cell-dbs.ts'
import type { CellTables } from '../store/cell-tables.ts'
import { insertFault } from '../store/faults.ts'
import { type InstanceChanges, purgeInstance, updateInstance } from '../store/instance-changes.ts'
import { findInstanceMapping, setInstanceCell } from '../store/instance-mappings.ts'
import type { NewInstance } from '../store/instance-records.ts'
import { insertInstance } from '../store/instances.ts'
import type { RequestSpec } from '../store/request-specs.ts'
import type { ConductorDeps } from './deps.ts'
import { inGroupTurn } from './group-turn.ts'
import { enterTask } from './tasks-of-instance.ts'

interface Placed {
  uuid: string
  requestId: string
  host: string
  node: string
  cellId: number
  availabilityZone: string
}

/** What a new record was given; nothing when it was there. */
export interface Recorded {
  /** `instances.id`. */
  number?: number
  actionId?: number
}

/** In the transaction of the API's database that makes the instance known to be in its cell. */
type AlsoWrite = (transaction: Kysely<ApiTables>) => Promise<void>

/**
 * Moves the instance from its build request, `made`, into its cell; run again, corrects its host. See `inGroupTurn` for
 * groups. Gives what `alsoWrite` is told, too.
 */
export async function recordInstance(
  { apiDb, cells }: Pick<ConductorDeps, 'apiDb' | 'cells'>,
  placed: Placed,
  { spec, made }: { spec: RequestSpec; made: NewInstance | undefined },
  alsoWrite?: (transaction: Kysely<ApiTables>, recorded: Recorded) => Promise<void>,
): Promise<Recorded> {
  const { uuid, host, node, cellId } = placed
  const { db } = cells.byId(cellId)
  const settled = { host, node, availability_zone: placed.availabilityZone, task_state: 'networking' }
  const mapping = made === undefined ? await findInstanceMapping(apiDb, uuid) : undefined
  const inTurn = (record: () => Promise<unknown>) =>
    inGroupTurn({ apiDb, cells }, spec, host, async () => {
      await record()
    })
  if (made === undefined && mapping?.cell_id === cellId) {
    await inTurn(() => enterTask(db, uuid, settled))
    return {}
  }
  if (made === undefined) {
    // A retry that leaves its first cell takes its build request along: nothing else knows the whole of it.
    throw new Fault('unavailable', `Instance ${uuid} cannot be moved to another cell while it is built.`)
  }
  let recorded: Recorded = {}
  await inTurn(async () => {
    recorded = await insertOnce(db, uuid, { requestId: placed.requestId, made, changes: settled })
  })
  await enterCell(apiDb, { id: cellId, db }, made, async (transaction) => alsoWrite?.(transaction, recorded))
  return recorded
}

/**
 * From now on the instance is in its cell. What its owner changed in the build request since that was read, such as its
 * name, is changed in the cell first.
 */
export async function enterCell(
  apiDb: Kysely<ApiTables>,
  cell: { id: number; db: Kysely<CellTables> },
  made: NewInstance,
  alsoWrite?: AlsoWrite,
): Promise<void> {
  const { uuid } = made.row
  for (let seen = made; ; ) {
    const changed = await inTransaction(apiDb, async (transaction) => {
      if (!(await takeBuildRequest(transaction, seen))) {
        const current = await findBuildRequest(transaction, uuid)
        if (current !== undefined) return current
      }
      await setInstanceCell(transaction, uuid, cell.id)
      await alsoWrite?.(transaction)
      return undefined
    })
    if (changed === undefined) return
    const before = new Map<string, unknown>(Object.entries(seen.row))
    const changes = Object.entries(changed.row).filter(([column, value]) => before.get(column) !== value)
    await updateInstance(cell.db, uuid, Object.fromEntries(changes))
    seen = changed
  }
}

/**
 * Takes back the record of an instance that its mapping does not name yet: nobody would find it there. What was recorded
 * wholly stays, in whatever state. Without a cell: what a conductor may have recorded that died before it wrote where.
 */
export async function forgetHalfRecorded(
  deps: Pick<ConductorDeps, 'apiDb' | 'cells' | 'placement' | 'directory'>,
  { uuid, cellId }: { uuid: string; cellId: number | undefined },
): Promise<void> {
  const mapping = await findInstanceMapping(deps.apiDb, uuid)
  if (mapping?.cell_id != null) return
  const cells = cellId === undefined ? await cellsOfClaim(deps, uuid) : [deps.cells.byId(cellId)]
  for (const { db } of cells) await purgeInstance(db, uuid)
}

/** Those of the hosts that it has resources claimed of, as it has before it is recorded; all when a host is unknown. */
async function cellsOfClaim(
  { cells, placement, directory }: Pick<ConductorDeps, 'cells' | 'placement' | 'directory'>,
  uuid: string,
): Promise<readonly CellDb[]> {
  const providers = Object.keys((await placement.getAllocations(uuid)).allocations)
  if (providers.length === 0) return []
  const hosts = await directory.hosts()
  const found: CellDb[] = []
  for (const provider of providers) {
    const id = hosts.get(provider)?.cellId
    if (id === undefined) return cells.withHosts()
    await cells.ensure(id)
    found.push(cells.byId(id))
  }
  return found
}

interface Record {
  requestId: string
  made: NewInstance
  changes: InstanceChanges
}

async function insertOnce(
  db: Kysely<CellTables>,
  uuid: string,
  { requestId, made, changes }: Record,
): Promise<Recorded> {
  try {
    const record = async (transaction: Kysely<CellTables>) => {
      const number = await insertInstance(transaction, made, changes)
      const actionId = await insertAction(transaction, {
        action: 'create',
        instanceUuid: uuid,
        requestId,
        userId: made.row.user_id,
        projectId: made.row.project_id,
        startTime: made.row.created_at,
      })
      return { number, actionId }
    }
    return await inTransaction(db, record, { duplicateTries: 1 })
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    // Since it was recorded before, its owner may have changed how it is described.
    const { display_name, display_description, hostname, access_ip_v4, access_ip_v6 } = made.row
    const described = { display_name, display_description, hostname, access_ip_v4, access_ip_v6 }
    await updateInstance(db, uuid, {
      ...described,
      auto_disk_config: made.row.auto_disk_config,
      ...changes,
    })
    return {}
  }
}

export interface Failure {
  uuid: string
  requestId: string
  event: string
  host: string | null
  error: Fault
}

/** Puts an instance in state ERROR, with the reason where its owner looks for it. */
export async function failInstance(
  db: Kysely<CellTables>,
  failure: Failure,
  changes: InstanceChanges = {},
): Promise<void> {
  const { uuid, requestId, host, error } = failure
  await inTransaction(db, async (transaction) => {
    const failed = { vm_state: 'error', task_state: null, ...changes }
    if (!(await updateInstance(transaction, uuid, failed))) return
    await writeFailure(transaction, failure)
    const event = { event: failure.event, startTime: timestamp(), host, error: error.message }
    await finishAction(transaction, { instanceUuid: uuid, requestId }, event)
  })
}

export async function writeFailure(db: Kysely<CellTables>, { uuid, host, error }: Failure): Promise<void> {
  const step = error.details['step']
  const details = step === undefined ? null : `The step that failed: ${String(step)}.`
  await insertFault(db, { instanceUuid: uuid, code: 500, message: error.message, details, host })
}

/** Records an instance that no host could take in cell0, in state ERROR. */
export async function buryInstance(
  { apiDb, cells }: Pick<ConductorDeps, 'apiDb' | 'cells'>,
  failure: Failure,
): Promise<void> {
  const { uuid, requestId } = failure
  const cell0 = cells.cell0()
  const made = await findBuildRequest(apiDb, uuid)
  if (made === undefined) {
    const mapping = await findInstanceMapping(apiDb, uuid)
    if (mapping?.cell_id != null) {
      await failInstance(cells.byId(mapping.cell_id).db, failure, { host: null, node: null })
    }
    return
  }
  await inReachable(cells.withHosts(), (cell) => purgeInstance(cell.db, uuid))
  await insertOnce(cell0.db, uuid, { requestId, made, changes: { vm_state: 'error', task_state: null } })
  await failInstance(cell0.db, failure)
  await enterCell(apiDb, cell0, made)
}
