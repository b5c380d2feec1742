/** Namespaces of metadata definitions, and the resource types they are for. */
import { timestamp } from '../../base/clock.ts'
import { isUniqueViolation } from '../../base/db/database.ts'
import { Fault } from '../../base/errors.ts'
import type { ImageDb, Viewer } from './images.ts'
import type { NamespaceRow } from './tables.ts'

export interface Association {
  name: string
  prefix: string | null
  properties_target: string | null
  created_at: string
  updated_at: string
}

export type NamespaceValues = Pick<
  NamespaceRow,
  'namespace' | 'display_name' | 'description' | 'visibility' | 'protected' | 'owner'
>

export async function findNamespace(db: ImageDb, name: string): Promise<NamespaceRow | undefined> {
  return db.selectFrom('metadef_namespaces').selectAll().where('namespace', '=', name).executeTakeFirst()
}

export interface NamespaceQuery {
  viewer: Viewer
  visibility?: string
  resourceTypes?: readonly string[]
  sortKey: 'namespace' | 'created_at' | 'updated_at'
  direction: 'asc' | 'desc'
  marker?: NamespaceRow
  limit: number
}

/** Namespaces that the viewer may see: public ones and those of the own project; for an admin all. */
export async function listNamespaces(db: ImageDb, query: NamespaceQuery): Promise<NamespaceRow[]> {
  const { viewer, visibility, resourceTypes, sortKey, direction, marker } = query
  let select = db.selectFrom('metadef_namespaces').selectAll()
  if (!viewer.isAdmin)
    select = select.where((eb) =>
      eb.or([eb('visibility', '=', 'public'), eb('owner', '=', viewer.projectId ?? '')]),
    )
  if (visibility !== undefined) select = select.where('visibility', '=', visibility)
  if (resourceTypes !== undefined)
    select = select.where('id', 'in', (eb) =>
      eb
        .selectFrom('metadef_namespace_resource_types as association')
        .innerJoin('metadef_resource_types as type', 'type.id', 'association.resource_type_id')
        .where('type.name', 'in', resourceTypes)
        .select('association.namespace_id'),
    )
  if (marker !== undefined) {
    const past = direction === 'asc' ? '>' : '<'
    select = select.where((eb) =>
      eb.or([
        eb(sortKey, past, marker[sortKey]),
        eb.and([eb(sortKey, '=', marker[sortKey]), eb('id', past, marker.id)]),
      ]),
    )
  }
  return select.orderBy(sortKey, direction).orderBy('id', direction).limit(query.limit).execute()
}

export async function insertNamespace(db: ImageDb, values: NamespaceValues): Promise<NamespaceRow> {
  const now = timestamp()
  await unlessTaken(
    values.namespace,
    db
      .insertInto('metadef_namespaces')
      .values({ ...values, created_at: now, updated_at: now })
      .execute(),
  )
  return (await findNamespace(db, values.namespace))!
}

export async function updateNamespace(db: ImageDb, id: number, values: NamespaceValues): Promise<void> {
  const changed = { ...values, updated_at: timestamp() }
  await unlessTaken(
    values.namespace,
    db.updateTable('metadef_namespaces').set(changed).where('id', '=', id).execute(),
  )
}

async function unlessTaken(name: string, writing: Promise<unknown>): Promise<void> {
  try {
    await writing
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault('conflict', `The metadata definition namespace=${name} already exists.`, { name }, error)
  }
}

/** Removes a namespace with everything in it. */
export async function deleteNamespace(db: ImageDb, id: number): Promise<void> {
  for (const table of [
    'metadef_objects',
    'metadef_properties',
    'metadef_tags',
    'metadef_namespace_resource_types',
  ] as const)
    await db.deleteFrom(table).where('namespace_id', '=', id).execute()
  await db.deleteFrom('metadef_namespaces').where('id', '=', id).execute()
}

export async function listResourceTypes(
  db: ImageDb,
): Promise<{ name: string; created_at: string; updated_at: string }[]> {
  return db
    .selectFrom('metadef_resource_types')
    .select(['name', 'created_at', 'updated_at'])
    .orderBy('id')
    .execute()
}

/** The associations of some namespaces, by the namespace's id. */
export async function listAssociations(
  db: ImageDb,
  namespaceIds: readonly number[],
): Promise<Map<number, Association[]>> {
  const found = new Map<number, Association[]>(namespaceIds.map((id) => [id, []]))
  if (namespaceIds.length === 0) return found
  const rows = await db
    .selectFrom('metadef_namespace_resource_types as association')
    .innerJoin('metadef_resource_types as type', 'type.id', 'association.resource_type_id')
    .select([
      'association.namespace_id',
      'type.name',
      'association.prefix',
      'association.properties_target',
      'association.created_at',
      'association.updated_at',
    ])
    .where('association.namespace_id', 'in', namespaceIds)
    .orderBy('type.id')
    .execute()
  for (const { namespace_id, ...association } of rows) found.get(namespace_id)?.push(association)
  return found
}

/** Associates a resource type, which is made known when it is not; `conflict` when it is associated already. */
export async function insertAssociation(
  db: ImageDb,
  namespaceId: number,
  wanted: { name: string; prefix: string | null; properties_target: string | null },
): Promise<Association> {
  const now = timestamp()
  const { name, prefix, properties_target } = wanted
  const times = { created_at: now, updated_at: now }
  const find = () =>
    db.selectFrom('metadef_resource_types').select('id').where('name', '=', name).executeTakeFirst()
  let type = await find()
  if (type === undefined) {
    await db
      .insertInto('metadef_resource_types')
      .values({ name, ...times })
      .execute()
    type = (await find())!
  }
  const row = { namespace_id: namespaceId, resource_type_id: type.id, prefix, properties_target, ...times }
  try {
    await db.insertInto('metadef_namespace_resource_types').values(row).execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Fault('conflict', `The resource type ${name} is associated already.`, { name }, error)
  }
  return { ...wanted, ...times }
}

/** False when there is no such association. */
export async function deleteAssociation(db: ImageDb, namespaceId: number, name: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('metadef_namespace_resource_types')
    .where('namespace_id', '=', namespaceId)
    .where('resource_type_id', 'in', (eb) =>
      eb.selectFrom('metadef_resource_types').select('id').where('name', '=', name),
    )
    .executeTakeFirst()
  return numDeletedRows > 0n
}
