/** Flavors with their extra specs and the projects that may use them. */
import type { ExpressionBuilder, Selectable } from 'kysely'
import { timestamp } from '../../base/clock.ts'
import { byIdsIn } from '../../base/db/by-ids.ts'
import { type Db, isUniqueViolation } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import type { ApiTables, FlavorsTable } from './api-tables.ts'

/** A flavor as its row has it, with its extra specs. An instance keeps one as it was at boot. */
export interface Flavor extends Selectable<FlavorsTable> {
  extra_specs: Record<string, string>
}

export interface NewFlavor {
  flavorid: string
  name: string
  memory_mb: number
  vcpus: number
  root_gb: number
  ephemeral_gb: number
  swap: number
  rxtx_factor: number
  is_public: number
  description: string | null
}

export interface FlavorQuery {
  /** Absent: public and private ones. */
  isPublic?: boolean
  /** With `isPublic`: private flavors that this project was given access to are listed too. */
  accessibleTo?: string
  enabledOnly?: boolean
  minMemoryMb?: number
  minRootGb?: number
  sortKey: FlavorSortKey
  descending: boolean
  limit: number
  /** The flavorid of the last one of the page before. */
  marker?: string
}

export const flavorSortKeys = [
  'created_at',
  'description',
  'disabled',
  'ephemeral_gb',
  'flavorid',
  'id',
  'is_public',
  'memory_mb',
  'name',
  'root_gb',
  'rxtx_factor',
  'swap',
  'updated_at',
  'vcpus',
] as const

export type FlavorSortKey = (typeof flavorSortKeys)[number]

const flavorNotFound = (flavorid: string) =>
  new Fault('not-found', `Flavor ${flavorid} could not be found.`, { flavorid })

/** A flavor by the id that users know; `visibleTo` hides private ones that the project has no access to. */
export async function findFlavor(
  db: Db<ApiTables>,
  flavorid: string,
  visibleTo?: string | null,
): Promise<Flavor | undefined> {
  const { rows } =
    visibleTo === undefined
      ? await selectFlavor(db, { flavorid })
      : await selectAccessible(db, { flavorid, projectId: visibleTo ?? '' })
  const [first] = rows
  if (first === undefined) return undefined
  const { spec_key: _key, spec_value: _value, ...row } = first
  const specs = rows.flatMap(({ spec_key: key, spec_value: value }) =>
    key === null ? [] : [[key, value ?? '']],
  )
  // Sorted here: the database would make a table of its own for it.
  return { ...row, extra_specs: Object.fromEntries(specs.toSorted()) }
}

/** As findFlavor; throws when there is none. */
export async function getFlavor(
  db: Db<ApiTables>,
  flavorid: string,
  visibleTo?: string | null,
): Promise<Flavor> {
  const found = await findFlavor(db, flavorid, visibleTo)
  if (found === undefined) throw flavorNotFound(flavorid)
  return found
}

const accessible = (eb: ExpressionBuilder<ApiTables, 'flavors'>, projectId: string) =>
  eb.or([
    eb('flavors.is_public', '=', 1),
    eb(
      'flavors.id',
      'in',
      eb.selectFrom('flavor_projects').select('flavor_id').where('project_id', '=', projectId),
    ),
  ])

// A flavor once for each of its extra specs.
const withSpecs = (db: Db<ApiTables>, flavorid: string) =>
  db
    .selectFrom('flavors')
    .leftJoin('flavor_extra_specs as spec', 'spec.flavor_id', 'flavors.id')
    .selectAll('flavors')
    .select(['spec.key as spec_key', 'spec.value as spec_value'])
    .where('flavors.flavorid', '=', flavorid)
const selectFlavor = statement((db: Db<ApiTables>, p: { flavorid: string }) => withSpecs(db, p.flavorid))
const selectAccessible = statement((db: Db<ApiTables>, p: { flavorid: string; projectId: string }) =>
  withSpecs(db, p.flavorid).where((eb) => accessible(eb, p.projectId)),
)

/** One page of flavors. */
export async function listFlavors(db: Db<ApiTables>, query: FlavorQuery): Promise<Flavor[]> {
  let select = db.selectFrom('flavors').selectAll()
  const { isPublic, accessibleTo } = query
  if (isPublic === true && accessibleTo !== undefined) {
    select = select.where((eb) => accessible(eb, accessibleTo))
  } else if (isPublic !== undefined) {
    select = select.where('is_public', '=', isPublic ? 1 : 0)
  }
  if (query.enabledOnly === true) select = select.where('disabled', '=', 0)
  if (query.minMemoryMb !== undefined) select = select.where('memory_mb', '>=', query.minMemoryMb)
  if (query.minRootGb !== undefined) select = select.where('root_gb', '>=', query.minRootGb)
  const direction = query.descending ? 'desc' : 'asc'
  const { sortKey } = query
  if (query.marker !== undefined) {
    const marker = await db
      .selectFrom('flavors')
      .selectAll()
      .where('flavorid', '=', query.marker)
      .executeTakeFirst()
    if (marker === undefined) throw new Fault('invalid', `marker [${query.marker}] not found`)
    const after = query.descending ? '<' : '>'
    select = select.where((eb) =>
      eb.or([
        eb(sortKey, after, marker[sortKey] as never),
        eb.and([eb(sortKey, '=', marker[sortKey] as never), eb('id', after, marker.id)]),
      ]),
    )
  }
  const rows = await select.orderBy(sortKey, direction).orderBy('id', direction).limit(query.limit).execute()
  return await withExtraSpecs(db, rows)
}

const readExtraSpecs = byIdsIn<ApiTables, number>()((db, ids) =>
  db.selectFrom('flavor_extra_specs').selectAll().where('flavor_id', 'in', ids).orderBy('key'),
)

async function withExtraSpecs(db: Db<ApiTables>, rows: Selectable<FlavorsTable>[]): Promise<Flavor[]> {
  const flavors = rows.map((row) => ({ ...row, extra_specs: {} as Record<string, string> }))
  if (rows.length === 0) return flavors
  const byId = new Map(flavors.map((flavor) => [flavor.id, flavor]))
  const specs = await readExtraSpecs(db, [...byId.keys()])
  for (const spec of specs) byId.get(spec.flavor_id)!.extra_specs[spec.key] = spec.value ?? ''
  return flavors
}

/** Throws `conflict` when the name or the id is taken. */
export async function insertFlavor(db: Db<ApiTables>, flavor: NewFlavor): Promise<Flavor> {
  const taken = await db
    .selectFrom('flavors')
    .select('flavorid')
    .where((eb) => eb.or([eb('flavorid', '=', flavor.flavorid), eb('name', '=', flavor.name)]))
    .executeTakeFirst()
  if (taken !== undefined) throw flavorTaken(flavor, taken.flavorid)
  try {
    await db
      .insertInto('flavors')
      .values({ ...flavor, disabled: 0, created_at: timestamp(), updated_at: null })
      .execute()
  } catch (error) {
    if (isUniqueViolation(error)) throw flavorTaken(flavor, flavor.flavorid)
    throw error
  }
  return await getFlavor(db, flavor.flavorid)
}

function flavorTaken(flavor: NewFlavor, takenId: string): Fault {
  return takenId === flavor.flavorid
    ? new Fault('conflict', `Flavor with ID ${flavor.flavorid} already exists.`)
    : new Fault('conflict', `Flavor with name ${flavor.name} already exists.`)
}

export async function updateFlavorDescription(
  db: Db<ApiTables>,
  flavorid: string,
  description: string | null,
): Promise<Flavor> {
  const { numUpdatedRows } = await db
    .updateTable('flavors')
    .set({ description, updated_at: timestamp() })
    .where('flavorid', '=', flavorid)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw flavorNotFound(flavorid)
  return await getFlavor(db, flavorid)
}

/** Removes a flavor with its extra specs and access; instances keep their copy. */
export async function deleteFlavor(db: Db<ApiTables>, flavorid: string): Promise<void> {
  const { id } = await getFlavor(db, flavorid)
  await db.deleteFrom('flavor_extra_specs').where('flavor_id', '=', id).execute()
  await db.deleteFrom('flavor_projects').where('flavor_id', '=', id).execute()
  await db.deleteFrom('flavors').where('id', '=', id).execute()
}

/** Adds extra specs, replacing those of the same key. */
export async function setExtraSpecs(
  db: Db<ApiTables>,
  flavor: Flavor,
  specs: Readonly<Record<string, string>>,
): Promise<void> {
  const keys = Object.keys(specs)
  if (keys.length === 0) return
  await db
    .deleteFrom('flavor_extra_specs')
    .where('flavor_id', '=', flavor.id)
    .where('key', 'in', keys)
    .execute()
  await db
    .insertInto('flavor_extra_specs')
    .values(keys.map((key) => ({ flavor_id: flavor.id, key, value: specs[key]! })))
    .execute()
}

export async function deleteExtraSpec(db: Db<ApiTables>, flavor: Flavor, key: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('flavor_extra_specs')
    .where('flavor_id', '=', flavor.id)
    .where('key', '=', key)
    .executeTakeFirst()
  if (numDeletedRows > 0n) return
  throw new Fault('not-found', `Flavor ${flavor.flavorid} has no extra specs with key ${key}.`)
}

/** Ids of the projects that may use a private flavor. */
export async function listFlavorProjects(db: Db<ApiTables>, flavor: Flavor): Promise<string[]> {
  const rows = await db
    .selectFrom('flavor_projects')
    .select('project_id')
    .where('flavor_id', '=', flavor.id)
    .orderBy('id')
    .execute()
  return rows.map((row) => row.project_id)
}

export async function addFlavorProject(db: Db<ApiTables>, flavor: Flavor, projectId: string): Promise<void> {
  try {
    await db.insertInto('flavor_projects').values({ flavor_id: flavor.id, project_id: projectId }).execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault(
      'conflict',
      `Flavor access already exists for flavor ${flavor.flavorid} and project ${projectId} combination.`,
    )
  }
}

export async function removeFlavorProject(
  db: Db<ApiTables>,
  flavor: Flavor,
  projectId: string,
): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('flavor_projects')
    .where('flavor_id', '=', flavor.id)
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  if (numDeletedRows > 0n) return
  throw new Fault('not-found', `Flavor access not found for ${flavor.flavorid} / ${projectId} combination.`)
}
