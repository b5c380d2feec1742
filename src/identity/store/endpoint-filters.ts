/** Which endpoints the catalog shows to a project: those named for it, or all when none is. */
import type { Db } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import { type EndpointRow, listEndpoints } from './catalog.ts'
import type { EndpointGroupTable, Tables } from './tables.ts'

export type EndpointGroupRow = EndpointGroupTable

export interface EndpointFilters {
  service_id?: string
  region_id?: string
  interface?: string
}

export async function getEndpointGroup(db: Db<Tables>, id: string): Promise<EndpointGroupRow> {
  const row = await db.selectFrom('endpoint_group').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Fault('not-found', `Could not find Endpoint Group: ${id}.`, { id })
  return row
}

/** All groups, or those of a project. */
export async function listEndpointGroups(db: Db<Tables>, projectId?: string): Promise<EndpointGroupRow[]> {
  let query = db.selectFrom('endpoint_group').selectAll().orderBy('name').orderBy('id')
  if (projectId !== undefined) {
    query = query.where('id', 'in', (inner) =>
      inner
        .selectFrom('project_endpoint_group')
        .select('endpoint_group_id')
        .where('project_id', '=', projectId),
    )
  }
  return query.execute()
}

export async function insertEndpointGroup(db: Db<Tables>, row: EndpointGroupRow): Promise<void> {
  await db.insertInto('endpoint_group').values(row).execute()
}

export async function updateEndpointGroup(
  db: Db<Tables>,
  id: string,
  change: Partial<EndpointGroupRow>,
): Promise<void> {
  await db.updateTable('endpoint_group').set(change).where('id', '=', id).execute()
}

export async function removeEndpointGroup(db: Db<Tables>, id: string): Promise<void> {
  await db.deleteFrom('endpoint_group').where('id', '=', id).execute()
}

/** The endpoints that fit a group's filters. */
export async function endpointsOfGroup(db: Db<Tables>, group: EndpointGroupRow): Promise<EndpointRow[]> {
  const filters: EndpointFilters = JSON.parse(group.filters)
  return listEndpoints(db, {
    ...(filters.service_id === undefined ? {} : { serviceId: filters.service_id }),
    ...(filters.region_id === undefined ? {} : { regionId: filters.region_id }),
    ...(filters.interface === undefined ? {} : { interface: filters.interface }),
  })
}

/** The endpoints named for a project, by themselves or by groups. */
export async function endpointsOfProject(db: Db<Tables>, projectId: string): Promise<EndpointRow[]> {
  const named = await db
    .selectFrom('endpoint')
    .innerJoin('project_endpoint', 'project_endpoint.endpoint_id', 'endpoint.id')
    .selectAll('endpoint')
    .where('project_endpoint.project_id', '=', projectId)
    .execute()
  const found = new Map(named.map((row) => [row.id, row]))
  for (const group of await listEndpointGroups(db, projectId)) {
    for (const row of await endpointsOfGroup(db, group)) found.set(row.id, row)
  }
  return [...found.values()]
}

type Link = { endpointId: string } | { endpointGroupId: string }

/** Ids of the projects that an endpoint or a group is named for. */
export async function projectsOf(db: Db<Tables>, link: Link): Promise<string[]> {
  const rows =
    'endpointId' in link
      ? await db
          .selectFrom('project_endpoint')
          .select('project_id')
          .where('endpoint_id', '=', link.endpointId)
          .execute()
      : await db
          .selectFrom('project_endpoint_group')
          .select('project_id')
          .where('endpoint_group_id', '=', link.endpointGroupId)
          .execute()
  return rows.map((row) => row.project_id)
}

/** Names an endpoint or a group for a project; twice is once. */
export async function linkToProject(db: Db<Tables>, link: Link, projectId: string): Promise<void> {
  if ((await projectsOf(db, link)).includes(projectId)) return
  if ('endpointId' in link) {
    const row = { endpoint_id: link.endpointId, project_id: projectId }
    await db.insertInto('project_endpoint').values(row).execute()
  } else {
    const row = { endpoint_group_id: link.endpointGroupId, project_id: projectId }
    await db.insertInto('project_endpoint_group').values(row).execute()
  }
}

/** False when it was not named for the project. */
export async function unlinkFromProject(db: Db<Tables>, link: Link, projectId: string): Promise<boolean> {
  const result =
    'endpointId' in link
      ? await db
          .deleteFrom('project_endpoint')
          .where('endpoint_id', '=', link.endpointId)
          .where('project_id', '=', projectId)
          .executeTakeFirst()
      : await db
          .deleteFrom('project_endpoint_group')
          .where('endpoint_group_id', '=', link.endpointGroupId)
          .where('project_id', '=', projectId)
          .executeTakeFirst()
  return result.numDeletedRows > 0n
}
