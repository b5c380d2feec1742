/** Removing a domain takes along all that is in it. */
import type { Db } from '#base/db/database.ts'
import { removeGroups } from './groups.ts'
import { listProjects, removeProjects } from './projects.ts'
import type { Tables } from './tables.ts'
import { removeUsers } from './users.ts'

export async function removeDomain(db: Db<Tables>, id: string): Promise<void> {
  const users = await db.selectFrom('user').select('id').where('domain_id', '=', id).execute()
  const groups = await db.selectFrom('group').select('id').where('domain_id', '=', id).execute()
  const projects = await listProjects(db, { domainId: id })
  await removeUsers(
    db,
    users.map((row) => row.id),
  )
  await removeGroups(
    db,
    groups.map((row) => row.id),
  )
  await removeProjects(
    db,
    projects.map((row) => row.id),
  )
  await db.deleteFrom('role').where('domain_id', '=', id).execute()
  await db.deleteFrom('limit').where('domain_id', '=', id).execute()
  await removeProjects(db, [id])
}
