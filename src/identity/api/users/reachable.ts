/** Where a user holds any role. */
import type { Db } from '#base/db/database.ts'
import { assignmentsOfUser } from '../../store/assignments.ts'
import { descendants, findProject, listProjects, type ProjectRow } from '../../store/projects.ts'
import type { Tables } from '../../store/tables.ts'

/** Projects by direct and by inherited assignments. */
export async function projectsOfUser(db: Db<Tables>, userId: string): Promise<ProjectRow[]> {
  const found = new Map<string, ProjectRow>()
  for (const assignment of await assignmentsOfUser(db, userId)) {
    const { target_id, inherited, type } = assignment
    if (inherited === 1) {
      for (const row of await descendants(db, target_id)) found.set(row.id, row)
    } else if (type.endsWith('Project') && !found.has(target_id)) {
      const row = await findProject(db, target_id)
      if (row !== undefined) found.set(row.id, row)
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

export async function domainsOfUser(db: Db<Tables>, userId: string): Promise<ProjectRow[]> {
  const assignments = await assignmentsOfUser(db, userId)
  const ids = assignments.filter((row) => row.type.endsWith('Domain') && row.inherited === 0)
  return listProjects(db, { ids: [...new Set(ids.map((row) => row.target_id))], isDomain: true })
}
