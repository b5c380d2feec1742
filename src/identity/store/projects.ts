/** Projects, and domains, which are projects that act as one. */
import { type Db, isUniqueViolation } from '#base/db/database.ts'
import { Fault } from '#base/errors.ts'
import { type ProjectTable, rootDomain, type Tables } from './tables.ts'

export type ProjectRow = ProjectTable

export async function findProject(db: Db<Tables>, id: string): Promise<ProjectRow | undefined> {
  return db.selectFrom('project').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function getProject(db: Db<Tables>, id: string): Promise<ProjectRow> {
  const row = await findProject(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find project: ${id}.`, { id })
  return row
}

/** For a change in this transaction: who else changes the project waits until it ended. */
export async function projectToChange(transaction: Db<Tables>, id: string): Promise<ProjectRow> {
  await transaction.selectFrom('project').select('id').where('id', '=', id).forUpdate().execute()
  return await getProject(transaction, id)
}

export async function findDomain(db: Db<Tables>, id: string): Promise<ProjectRow | undefined> {
  const row = await findProject(db, id)
  return row?.is_domain === 1 ? row : undefined
}

export async function getDomain(db: Db<Tables>, id: string): Promise<ProjectRow> {
  const row = await findDomain(db, id)
  if (row === undefined) throw new Fault('not-found', `Could not find domain: ${id}.`, { id })
  return row
}

export async function findProjectByName(
  db: Db<Tables>,
  name: string,
  domainId: string,
): Promise<ProjectRow | undefined> {
  return db
    .selectFrom('project')
    .selectAll()
    .where('domain_id', '=', domainId)
    .where('name', '=', name)
    .executeTakeFirst()
}

/**
 * A domain by its name, in whatever case unless one has exactly this name: on MariaDB keystone compares so, and its
 * installation guide writes `user_domain_name = default` for the domain `Default`.
 */
export async function findDomainByName(db: Db<Tables>, name: string): Promise<ProjectRow | undefined> {
  const exact = await findProjectByName(db, name, rootDomain)
  if (exact !== undefined) return exact
  return db
    .selectFrom('project')
    .selectAll()
    .where('domain_id', '=', rootDomain)
    .where((e) => e(e.fn('lower', ['name']), '=', name.toLowerCase()))
    .executeTakeFirst()
}

export interface ProjectFilter {
  domainId?: string
  parentId?: string
  name?: string
  isDomain?: boolean
  ids?: readonly string[]
}

export async function listProjects(db: Db<Tables>, filter: ProjectFilter = {}): Promise<ProjectRow[]> {
  if (filter.ids?.length === 0) return []
  let query = db.selectFrom('project').selectAll().orderBy('name').orderBy('id')
  if (filter.domainId !== undefined) query = query.where('domain_id', '=', filter.domainId)
  if (filter.parentId !== undefined) query = query.where('parent_id', '=', filter.parentId)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.isDomain !== undefined) query = query.where('is_domain', '=', filter.isDomain ? 1 : 0)
  if (filter.ids !== undefined) query = query.where('id', 'in', filter.ids)
  return query.execute()
}

export async function insertProject(db: Db<Tables>, row: ProjectRow): Promise<void> {
  await db
    .insertInto('project')
    .values(row)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate(row) : error
    })
}

export async function updateProject(
  db: Db<Tables>,
  row: ProjectRow,
  change: Partial<ProjectRow>,
): Promise<void> {
  await db
    .updateTable('project')
    .set(change)
    .where('id', '=', row.id)
    .execute()
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicate({ ...row, ...change }) : error
    })
}

function duplicate(row: ProjectRow): Fault {
  const what = row.is_domain === 1 ? 'domain' : 'project'
  const where = row.is_domain === 1 ? '' : ` at domain ID ${row.domain_id}`
  return new Fault(
    'conflict',
    `Conflict occurred attempting to store ${what} - it is not permitted to have two ${what}s with the same name: ${row.name}${where}.`,
  )
}

/** From the parent up to the domain, nearest first. */
export async function ancestors(db: Db<Tables>, project: ProjectRow): Promise<ProjectRow[]> {
  const found: ProjectRow[] = []
  let parentId = project.parent_id
  while (parentId !== null) {
    const parent = await findProject(db, parentId)
    if (parent === undefined) break
    found.push(parent)
    parentId = parent.parent_id
  }
  return found
}

/** All projects below, in no order that means anything. */
export async function descendants(db: Db<Tables>, id: string): Promise<ProjectRow[]> {
  const found: ProjectRow[] = []
  let layer = [id]
  while (layer.length > 0) {
    const children = await db.selectFrom('project').selectAll().where('parent_id', 'in', layer).execute()
    found.push(...children)
    layer = children.map((child) => child.id)
  }
  return found
}

export async function tagsOf(db: Db<Tables>, ids: readonly string[]): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>(ids.map((id) => [id, []]))
  if (ids.length === 0) return tags
  const rows = await db
    .selectFrom('project_tag')
    .selectAll()
    .$if(ids.length <= 500, (query) => query.where('project_id', 'in', ids))
    .orderBy('name')
    .execute()
  for (const row of rows) tags.get(row.project_id)?.push(row.name)
  return tags
}

export async function replaceTags(
  db: Db<Tables>,
  projectId: string,
  names: readonly string[],
): Promise<void> {
  await db.deleteFrom('project_tag').where('project_id', '=', projectId).execute()
  if (names.length === 0) return
  await db
    .insertInto('project_tag')
    .values(names.map((name) => ({ project_id: projectId, name })))
    .execute()
}

/** Removes projects with all that is theirs alone: assignments, credentials, limits, trusts. */
export async function removeProjects(db: Db<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await db.deleteFrom('assignment').where('target_id', 'in', ids).execute()
  await db.deleteFrom('credential').where('project_id', 'in', ids).execute()
  await db.deleteFrom('application_credential').where('project_id', 'in', ids).execute()
  await db.deleteFrom('trust').where('project_id', 'in', ids).execute()
  await db.deleteFrom('limit').where('project_id', 'in', ids).execute()
  await db
    .updateTable('user')
    .set({ default_project_id: null })
    .where('default_project_id', 'in', ids)
    .execute()
  await db.deleteFrom('project').where('id', 'in', ids).execute()
}
