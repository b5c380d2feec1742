/** Lists of instances across cells, with what is still being asked for among them. */
import type { SelectQueryBuilder } from 'kysely'
import { byIdsIn } from '../../base/db/by-ids.ts'
import { Fault } from '../../base/errors.ts'
import { gathered } from '../../base/gathered.ts'
import { listBuildRequests } from './build-requests.ts'
import { type CellDb, type CellDbs, cellAway, inCells } from './cell-dbs.ts'
import type { CellTables } from './cell-tables.ts'
import {
  deletedFits,
  filtersHere,
  type InstanceFilters,
  partsFit,
  rowConditions,
  rowFits,
  textFits,
} from './instance-filters.ts'
import { withParts } from './instance-parts.ts'
import { buildingInstance, type Instance, type InstanceRow, type StoredInstance } from './instance-records.ts'
import type { InstanceDbs } from './instances.ts'
import { knownAt } from './known-instances.ts'

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
export const listReachableInstances = (
  dbs: InstanceDbs,
  filters: InstanceFilters,
  page: InstancePage = newestFirst,
): Promise<{ instances: Instance[]; away: CellDb[] }> =>
  readTogether(dbs, { what: 'whole', filters, page }, () => listWhole(dbs, filters, page))

async function listWhole(
  dbs: InstanceDbs,
  filters: InstanceFilters,
  page: InstancePage,
): Promise<{ instances: Instance[]; away: CellDb[] }> {
  if (filtersHere(filters)) return await listReachable(dbs, filters, page, listInCell)
  const { instances: keys, away } = await listReachable(dbs, filters, page, listKeysInCell)
  const cells = [...new Set(keys.flatMap(({ cell }) => cell ?? []))]
  const ofCell = (cell: CellDb) => keys.filter((key): key is InstanceKey => key.cell === cell)
  const whole = await inCells(cells, (cell) => readKeys(cell, ofCell(cell), filters))
  const byUuid = new Map(whole.results.flat().map((instance) => [instance.uuid, instance]))
  // What was removed or deleted since its key was read is left out.
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
    : readTogether(dbs, { what: 'names', filters, page }, () =>
        listReachable(dbs, filters, page, listNamesInCell),
      )

type ReadList = () => Promise<{ instances: unknown[]; away: CellDb[] }>
type ListsTogether = (list: string, reads: readonly ReadList[]) => Promise<ReadonlyMap<ReadList, unknown>>

const listsOf = new WeakMap<CellDbs, ListsTogether>()

/** The same list that several ask for at once is read once for all of them: nobody may change what is in it. */
async function readTogether<L extends { instances: unknown[]; away: CellDb[] }>(
  { cells }: InstanceDbs,
  list: { what: 'whole' | 'names'; filters: InstanceFilters; page: InstancePage },
  read: () => Promise<L>,
): Promise<L> {
  // What is filtered here may be filtered by patterns, which have no text that tells them apart.
  if (filtersHere(list.filters)) return await read()
  let together = listsOf.get(cells)
  if (together === undefined) {
    together = gathered(async (_list: string, reads: readonly ReadList[]) => {
      const found = await reads[0]!()
      return new Map(reads.map((each) => [each, found]))
    })
    listsOf.set(cells, together)
  }
  return (await together(JSON.stringify(list), [read])).get(read) as L
}

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

const listNamesInCell = (cell: CellDb, filters: InstanceFilters, page: InstancePage) =>
  listKeysInCell<Sortable & { cell: CellDb }>(cell, filters, page, [])

async function listKeysInCell<K extends Sortable & { cell: CellDb } = InstanceKey>(
  cell: CellDb,
  filters: InstanceFilters,
  page: InstancePage,
  columns: readonly ('id' | 'revision')[] = ['id', 'revision'],
): Promise<K[]> {
  const all = cell.db
    .selectFrom('instances')
    .select(['uuid', 'display_name', ...columns, ...page.sort.map(({ key }) => key)])
    .where((eb) => rowConditions(eb, filters))
  const read = async (query: typeof all) => {
    const keys = (await query.execute()) as unknown as K[]
    for (const key of keys) key.cell = cell
    return keys
  }
  const { limit } = page
  if (page.marker !== undefined || limit === undefined) return await read(all)
  // Without a marker the first page of each cell holds the first page of all. Most lists are shorter than a long page,
  // and sorting them is most of what they would cost the database.
  if (limit >= longPage) {
    const keys = await read(all.limit(limit + 1))
    if (keys.length <= limit) return keys
  }
  return await read(ordered(all, page.sort).limit(limit))
}

const longPage = 500

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
  return [...instances, ...fresh.filter((instance) => deletedFits(instance, filters))]
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
