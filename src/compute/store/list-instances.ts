/** Lists of instances across cells, with what is still being asked for among them. */
import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { byIdsIn } from '../../base/db/by-ids.ts'
import { Fault } from '../../base/errors.ts'
import { listBuildRequests } from './build-requests.ts'
import { type CellDb, cellAway, inCells } from './cell-dbs.ts'
import type { CellTables } from './cell-tables.ts'
import { withParts } from './instance-parts.ts'
import { buildingInstance, type Instance, type InstanceRow, type StoredInstance } from './instance-records.ts'
import type { InstanceDbs } from './instances.ts'
import { knownAt } from './known-instances.ts'

/** Columns that must be equal to the value, or to one of the values. */
export type InstanceEquals = {
  [K in keyof InstanceRow]?: InstanceRow[K] | readonly InstanceRow[K][]
}

export interface InstanceFilters {
  equals?: InstanceEquals
  notEquals?: InstanceEquals
  /** Columns whose text must match. */
  matches?: { [K in keyof InstanceRow]?: RegExp }
  /** Without it only what is not deleted; `any`: both. */
  deleted?: boolean | 'any'
  changedSince?: string
  changedBefore?: string
  metadata?: Readonly<Record<string, string>>
  systemMetadata?: Readonly<Record<string, string>>
  flavorid?: string
  ip?: RegExp
  ip6?: RegExp
  tags?: readonly string[]
  tagsAny?: readonly string[]
  notTags?: readonly string[]
  notTagsAny?: readonly string[]
}

export interface InstanceSort {
  key: keyof InstanceRow
  descending: boolean
}

export interface InstancePage {
  sort: readonly InstanceSort[]
  /** Absent: all. */
  limit?: number
  /** The uuid of the last one of the page before. */
  marker?: string
}

const newestFirst: InstancePage = { sort: [{ key: 'created_at', descending: true }] }

/** One page of instances of all cells. Throws `invalid` when the marker is not among them. */
export async function listInstances(
  dbs: InstanceDbs,
  filters: InstanceFilters,
  page: InstancePage = newestFirst,
): Promise<Instance[]> {
  const { instances, away } = await listReachableInstances(dbs, filters, page)
  if (away[0] !== undefined) throw cellAway(away[0])
  return instances
}

/** One page of the instances of all cells but those that are `away`. */
export async function listReachableInstances(
  dbs: InstanceDbs,
  filters: InstanceFilters,
  page: InstancePage = newestFirst,
): Promise<{ instances: Instance[]; away: CellDb[] }> {
  if (filtersHere(filters)) return await listReachable(dbs, filters, page, listInCell)
  const { instances: keys, away } = await listReachable(dbs, filters, page, listKeysInCell)
  const cells = [...new Set(keys.flatMap(({ cell }) => cell ?? []))]
  const ofCell = (cell: CellDb) => keys.filter((key): key is InstanceKey => key.cell === cell)
  const whole = await inCells(cells, (cell) => readKeys(cell, ofCell(cell), filters))
  const byUuid = new Map(whole.results.flat().map((instance) => [instance.uuid, instance]))
  // What was removed, or no longer fits, since its key was read is left out.
  const instances = keys.flatMap((key) => ('flavor' in key ? key : (byUuid.get(key.uuid) ?? [])))
  return { instances, away: [...away, ...whole.away] }
}

/** The same page with no more of each instance than its name: nothing else is read where filters do not need it. */
export const listReachableNames = (
  dbs: InstanceDbs,
  filters: InstanceFilters,
  page: InstancePage = newestFirst,
): Promise<{ instances: NamedInstance[]; away: CellDb[] }> =>
  filtersHere(filters)
    ? listReachable(dbs, filters, page, listInCell)
    : listReachable(dbs, filters, page, listKeysInCell)

export type NamedInstance = Pick<InstanceRow, 'uuid' | 'display_name'>

/** With the columns that it is sorted by. */
type Sortable = NamedInstance & Partial<InstanceRow>

/** As much of an instance as is needed to place it in a list, and to tell whether it is as it is known. */
type InstanceKey = Sortable & Pick<StoredInstance, 'id' | 'revision'> & { cell: CellDb }

async function listReachable<I extends Sortable>(
  dbs: InstanceDbs,
  filters: InstanceFilters,
  page: InstancePage,
  inCell: (cell: CellDb, filters: InstanceFilters, page: InstancePage) => Promise<I[]>,
): Promise<{ instances: (I | Instance)[]; away: CellDb[] }> {
  const cells = await dbs.cells.all()
  const [building, { results, away }] = await Promise.all([
    listBuilding(dbs, filters),
    inCells(cells, (cell) => inCell(cell, filters, page)),
  ])
  const seen = new Set<string>()
  // An instance that moves into its cell meanwhile is in both; the cell knows more.
  const found = [...results.flat(), ...building].filter(
    ({ uuid }) => !seen.has(uuid) && seen.add(uuid) !== undefined,
  )
  found.sort((a, b) => compareBy(page.sort, a, b))
  return { instances: slicePage(found, page), away }
}

function slicePage<I extends { uuid: string }>(found: I[], { marker, limit }: InstancePage): I[] {
  let start = 0
  if (marker !== undefined) {
    const at = found.findIndex((instance) => instance.uuid === marker)
    if (at < 0) throw new Fault('invalid', `marker [${marker}] not found`, { marker })
    start = at + 1
  }
  return limit === undefined ? found.slice(start) : found.slice(start, start + limit)
}

async function listBuilding(dbs: InstanceDbs, filters: InstanceFilters): Promise<Instance[]> {
  if (filters.deleted === true) return []
  const project = filters.equals?.project_id
  const made = await listBuildRequests(dbs.apiDb, typeof project === 'string' ? project : undefined)
  return made
    .map(buildingInstance)
    .filter((instance) => rowFits(instance, filters) && partsFit(instance, filters))
}

// What is filtered here needs every row.
async function listInCell(cell: CellDb, filters: InstanceFilters): Promise<Instance[]> {
  const found = await cell.db
    .selectFrom('instances')
    .selectAll()
    .where((eb) => rowConditions(eb, filters))
    .execute()
  const rows = found.filter((row) => textFits(row, filters))
  const instances = await withParts(cell, rows)
  return instances.filter((instance) => partsFit(instance, filters))
}

async function listKeysInCell(
  cell: CellDb,
  filters: InstanceFilters,
  page: InstancePage,
): Promise<InstanceKey[]> {
  let query = cell.db
    .selectFrom('instances')
    .select(['uuid', 'display_name', 'id', 'revision', ...page.sort.map(({ key }) => key)])
    .where((eb) => rowConditions(eb, filters))
  // Without a marker the first page of each cell holds the first page of all.
  if (page.marker === undefined && page.limit !== undefined)
    query = ordered(query, page.sort).limit(page.limit)
  const keys = (await query.execute()) as InstanceKey[]
  for (const key of keys) key.cell = cell
  return keys
}

const readRows = byIdsIn<CellTables>()((db, uuids) =>
  db.selectFrom('instances').selectAll().where('uuid', 'in', uuids),
)

/** The instances whole; those that changed since they were last read are read again. */
async function readKeys(
  cell: CellDb,
  keys: readonly InstanceKey[],
  filters: InstanceFilters,
): Promise<Instance[]> {
  const changed: string[] = []
  const instances = keys.flatMap((key) => {
    const known = knownAt(cell, key)
    if (known === undefined) changed.push(key.uuid)
    return known ?? []
  })
  if (changed.length === 0) return instances
  const fresh = await withParts(cell, await readRows(cell.db, changed))
  return [...instances, ...fresh.filter((instance) => rowFits(instance, filters))]
}

function ordered<O>(
  query: SelectQueryBuilder<CellTables, 'instances', O>,
  sort: readonly InstanceSort[],
): SelectQueryBuilder<CellTables, 'instances', O> {
  let built = query
  for (const { key, descending } of sort) {
    const direction = descending ? 'desc' : 'asc'
    // Null is the smallest value, as in `compareBy`: PostgreSQL would take it for the largest.
    if (key !== 'created_at') built = built.orderBy((eb) => eb(key, 'is not', null), direction)
    built = built.orderBy(key, direction)
  }
  return built.orderBy('uuid')
}

function rowConditions(eb: ExpressionBuilder<CellTables, 'instances'>, filters: InstanceFilters) {
  const all = []
  if (filters.deleted === true) all.push(eb('deleted', '!=', 0))
  else if (filters.deleted !== 'any') all.push(eb('deleted', '=', 0))
  const changed = sql<string>`coalesce(updated_at, created_at)`
  if (filters.changedSince !== undefined) all.push(eb(changed, '>=', filters.changedSince))
  if (filters.changedBefore !== undefined) all.push(eb(changed, '<=', filters.changedBefore))
  for (const [key, value] of Object.entries(filters.equals ?? {})) {
    const column = key as 'uuid'
    if (Array.isArray(value)) all.push(value.length === 0 ? sql<boolean>`1 = 0` : eb(column, 'in', value))
    else all.push(value === null ? eb(column, 'is', null) : eb(column, '=', value as string))
  }
  for (const [key, value] of Object.entries(filters.notEquals ?? {})) {
    const column = key as 'uuid'
    all.push(Array.isArray(value) ? eb(column, 'not in', value) : eb(column, '!=', value as string))
  }
  return eb.and(all)
}

const filtersHere = (f: InstanceFilters): boolean =>
  [
    f.matches,
    f.metadata,
    f.systemMetadata,
    f.flavorid,
    f.ip,
    f.ip6,
    f.tags,
    f.tagsAny,
    f.notTags,
    f.notTagsAny,
  ].some((filter) => filter !== undefined)

const among = (value: unknown, wanted: unknown): boolean =>
  Array.isArray(wanted) ? wanted.includes(value) : value === wanted

// The same as rowConditions, for what is in no cell, or was read by its id.
function rowFits(row: InstanceRow, filters: InstanceFilters): boolean {
  const changed = row.updated_at ?? row.created_at
  if (filters.changedSince !== undefined && changed < filters.changedSince) return false
  if (filters.changedBefore !== undefined && changed > filters.changedBefore) return false
  if (filters.deleted !== 'any' && (row.deleted !== 0) !== (filters.deleted === true)) return false
  for (const [key, value] of Object.entries(filters.equals ?? {}))
    if (!among(row[key as keyof InstanceRow], value)) return false
  for (const [key, value] of Object.entries(filters.notEquals ?? {}))
    if (among(row[key as keyof InstanceRow], value)) return false
  return textFits(row, filters)
}

const textFits = (row: InstanceRow, filters: InstanceFilters): boolean =>
  Object.entries(filters.matches ?? {}).every(([key, pattern]) =>
    pattern.test(String(row[key as keyof InstanceRow] ?? '')),
  )

function partsFit(instance: Instance, f: InstanceFilters): boolean {
  if (f.flavorid !== undefined && instance.flavor.flavorid !== f.flavorid) return false
  if (!includesAll(instance.metadata, f.metadata)) return false
  if (!includesAll(instance.systemMetadata, f.systemMetadata)) return false
  if (f.ip !== undefined && !hasAddress(instance, 4, f.ip)) return false
  if (f.ip6 !== undefined && !hasAddress(instance, 6, f.ip6)) return false
  const has = (tag: string) => instance.tags.includes(tag)
  if (f.tags?.every(has) === false || f.tagsAny?.some(has) === false) return false
  return f.notTags?.every(has) !== true && f.notTagsAny?.some(has) !== true
}

const includesAll = (
  held: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean => Object.entries(wanted ?? {}).every(([key, value]) => held[key] === value)

function hasAddress(instance: Instance, version: 4 | 6, pattern: RegExp): boolean {
  return instance.networkInfo.some((port) =>
    port.network.subnets.some((subnet) =>
      subnet.ips.some((ip) => ip.version === version && pattern.test(ip.address)),
    ),
  )
}

function compareBy(sort: readonly InstanceSort[], a: Sortable, b: Sortable): number {
  for (const { key, descending } of sort) {
    const order = compareValues(a[key] ?? null, b[key] ?? null)
    if (order !== 0) return descending ? -order : order
  }
  return a.uuid < b.uuid ? -1 : 1
}

// As `ordered` sorts: what is not set comes first.
function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return a < b ? -1 : 1
}
