/** Instances, wherever they are: as a build request still, or in a cell with all that belongs to them. */
import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Db } from '../../base/db/database.ts'
import { insertNumberedStatement, insertStatement, statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import type { ApiTables } from './api-tables.ts'
import { findBuildRequests } from './build-requests.ts'
import { type CellDb, type CellDbs, cellAway, isAway } from './cell-dbs.ts'
import type { CellTables } from './cell-tables.ts'
import { updateInstance } from './instance-changes.ts'
import { findInstanceMappings, knownCellOf, listInstanceMappings } from './instance-mappings.ts'
import {
  buildingInstance,
  type Instance,
  type InstanceRow,
  type NewInstance,
  type StoredInstance,
} from './instance-records.ts'
import { knownOf } from './known-instances.ts'
import { type SeenInstance, seeInstances } from './seen-instances.ts'

export interface InstanceDbs {
  apiDb: Db<ApiTables>
  cells: CellDbs
}

/** What nova says of a server that is not there, or that the caller may not know of. */
export const instanceNotFound = (id: string): Fault =>
  new Fault('not-found', `Instance ${id} could not be found.`, { what: 'Instance', id })

/** An instance by its uuid: the one that lives, or the deleted one with `deleted`. Throws `cellAway` for it. */
export async function findInstance(
  dbs: InstanceDbs,
  uuid: string,
  options: { deleted?: boolean } = {},
): Promise<Instance | undefined> {
  return (await seeServers(dbs, [uuid], options)).get(uuid)?.instance
}

/** Those of these instances that are there, as `findInstance` finds them, each with what its host's service says. */
export async function seeServers(
  { apiDb, cells }: InstanceDbs,
  uuids: readonly string[],
  options: { deleted?: boolean } = {},
): Promise<Map<string, SeenInstance>> {
  const seen = new Map<string, SeenInstance>()
  const all = await cells.all()
  const lookIn = async (cellOf: (uuid: string) => number | null | undefined, wanted: readonly string[]) => {
    const looking = all.map(async (cell) => {
      const own = wanted.filter((uuid) => cellOf(uuid) === cell.id)
      if (own.length > 0) await seeInCell(cell, own, { seen, ...options })
    })
    await Promise.all(looking)
    return wanted.filter((uuid) => !seen.has(uuid))
  }
  // Nearly always the one and only read: an instance stays in the cell that it is in.
  const unknown = await lookIn((uuid) => knownCellOf(apiDb, uuid), uuids)
  if (unknown.length === 0) return seen
  const mappings = await findInstanceMappings(apiDb, unknown)
  await lookIn((uuid) => mappings.get(uuid)?.cell_id, unknown)
  const inNone = unknown.filter((uuid) => mappings.get(uuid)?.cell_id === null)
  for (const [uuid, made] of await findBuildRequests(apiDb, inNone))
    seen.set(uuid, { instance: buildingInstance(made), service: null })
  // These reached their cell between the two reads.
  const moved = inNone.filter((uuid) => !seen.has(uuid))
  if (moved.length === 0) return seen
  const again = await findInstanceMappings(apiDb, moved)
  await lookIn((uuid) => again.get(uuid)?.cell_id, moved)
  return seen
}

/** An instance as it was when it was last read, if it was: a hint at what is worth asking for, never to be shown. */
export function knownInstance(
  apiDb: Db<ApiTables>,
  cells: readonly CellDb[],
  uuid: string,
): Instance | undefined {
  const cellId = knownCellOf(apiDb, uuid)
  const cell = cellId === undefined ? undefined : cells.find(({ id }) => id === cellId)
  return cell === undefined ? undefined : knownOf(cell, uuid)?.instance
}

async function seeInCell(
  cell: CellDb,
  uuids: readonly string[],
  { seen, deleted }: { seen: Map<string, SeenInstance>; deleted?: boolean },
): Promise<void> {
  try {
    const found = await seeInstances(cell, uuids)
    for (const uuid of uuids) {
      const one = found.get(uuid)
      if (one?.instance.deleted === 0 || (one !== undefined && deleted === true)) seen.set(uuid, one)
    }
  } catch (error) {
    throw isAway(error) ? cellAway(cell, error) : error
  }
}

/** As findInstance; throws when there is none. */
export async function getInstance(
  dbs: InstanceDbs,
  uuid: string,
  options: { deleted?: boolean } = {},
): Promise<Instance> {
  const found = await findInstance(dbs, uuid, options)
  if (found === undefined) throw instanceNotFound(uuid)
  return found
}

const selectRow = statement((db: Db<CellTables>, p: { uuid: string }) =>
  db.selectFrom('instances').selectAll().where('uuid', '=', p.uuid).where('deleted', '=', 0),
)

/**
 * For a change in this transaction of what belongs to an instance: who else changes it waits until this one ended, and
 * `updated_at` is now. Throws when the instance is gone.
 */
export async function lockInstance(db: Db<CellTables>, uuid: string): Promise<void> {
  if (!(await updateInstance(db, uuid, {}))) throw instanceNotFound(uuid)
}

/** Only the row of a living instance. */
export async function findInstanceRow(db: Db<CellTables>, uuid: string): Promise<StoredInstance | undefined> {
  return (await selectRow(db, { uuid })).rows[0]
}

const selectHost = statement((db: Db<CellTables>, p: { uuid: string }) =>
  db.selectFrom('instances').select('host').where('uuid', '=', p.uuid),
)

/** The host of an instance, be it deleted. */
export async function findHost(db: Db<CellTables>, uuid: string): Promise<string | null> {
  return (await selectHost(db, { uuid })).rows[0]?.host ?? null
}

const readHosts = byIdsIn<CellTables>()((db, uuids) =>
  db.selectFrom('instances').select(['uuid', 'host']).where('uuid', 'in', uuids).where('deleted', '=', 0),
)

/** The hosts of those of these instances that live in a cell; null while they have none. */
export async function listHostsOf(
  { apiDb, cells }: InstanceDbs,
  uuids: readonly string[],
): Promise<Map<string, string | null>> {
  const mappings = await listInstanceMappings(apiDb, uuids)
  const hosts = new Map<string, string | null>()
  for (const cell of await cells.all()) {
    const own = mappings.filter((mapping) => mapping.cell_id === cell.id)
    for (const row of await readHosts(
      cell.db,
      own.map((mapping) => mapping.instance_uuid),
    ))
      hosts.set(row.uuid, row.host)
  }
  return hosts
}

/** An instance of one cell; throws `cellAway` when that cannot be asked. */
export async function findInCell(
  cell: CellDb,
  uuid: string,
  options: { deleted?: boolean } = {},
): Promise<Instance | undefined> {
  const seen = new Map<string, SeenInstance>()
  await seeInCell(cell, [uuid], { seen, ...options })
  return seen.get(uuid)?.instance
}

const insertRow = insertNumberedStatement<CellTables, 'instances'>('instances')
const insertExtra = insertStatement<CellTables, 'instance_extra'>('instance_extra')

/**
 * Writes an instance into its cell, and gives its number there; `changes` is what was settled since it was asked for
 * (host, node, states). What its interfaces are is written when it has some.
 */
export async function insertInstance(
  db: Db<CellTables>,
  made: NewInstance,
  changes: Partial<Omit<InstanceRow, 'id'>> = {},
): Promise<number> {
  const { id: _none, ...row } = { ...made.row, ...changes }
  const { uuid } = row
  const id = await insertRow(db, row)
  await insertExtra(db, {
    instance_uuid: uuid,
    flavor: JSON.stringify(made.flavor),
    keypairs: JSON.stringify(made.keypairs),
    trusted_certs: made.trustedCerts === null ? null : JSON.stringify(made.trustedCerts),
  })
  const pairs = (of: Record<string, string>) =>
    Object.entries(of).map(([key, value]) => ({ instance_uuid: uuid, key, value }))
  if (Object.keys(made.metadata).length > 0)
    await db.insertInto('instance_metadata').values(pairs(made.metadata)).execute()
  if (Object.keys(made.systemMetadata).length > 0)
    await db.insertInto('instance_system_metadata').values(pairs(made.systemMetadata)).execute()
  if (made.tags.length > 0) {
    await db
      .insertInto('tags')
      .values(made.tags.map((tag) => ({ resource_id: uuid, tag })))
      .execute()
  }
  return id
}

/** How many living instances a host has. */
export async function countInstancesOfHost(db: Db<CellTables>, host: string): Promise<number> {
  const row = await db
    .selectFrom('instances')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('host', '=', host)
    .where('deleted', '=', 0)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}
