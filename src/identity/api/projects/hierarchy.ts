/** Rules of the tree of projects, and how it is shown with one of them. */
import { Fault } from '#base/errors.ts'
import { ancestors, descendants, type ProjectRow, tagsOf } from '../../store/projects.ts'
import type { IdentityDeps, IdentityRequest } from '../identity-route.ts'
import { projectView } from './project.ts'

/** keystone's `max_project_tree_depth`, and the domain on top. */
const deepest = 6

/** A project may be made below this one. */
export async function assertMayHoldProject(deps: IdentityDeps, parent: ProjectRow): Promise<void> {
  const above = [parent, ...(await ancestors(deps.db, parent))]
  if (above.length + 1 > deepest) {
    throw new Fault('forbidden', `Max hierarchy depth reached for ${parent.id} branch.`)
  }
  const disabled = above.find((row) => row.enabled === 0)
  if (disabled === undefined) return
  throw new Fault(
    'forbidden',
    `Cannot create a project in a branch containing a disabled project: ${disabled.id}`,
  )
}

/** A project can be disabled when all below are, and enabled when all above are. */
export async function assertMaySwitch(deps: IdentityDeps, row: ProjectRow, enabled: boolean): Promise<void> {
  if (row.is_domain === 1) return
  if (enabled && (await ancestors(deps.db, row)).some((above) => above.enabled === 0)) {
    throw new Fault('forbidden', `Cannot enable project ${row.id} since it has disabled parents`)
  }
  if (!enabled && (await descendants(deps.db, row.id)).some((below) => below.enabled === 1)) {
    throw new Fault(
      'forbidden',
      `Cannot disable project ${row.id} since its subtree contains enabled projects.`,
    )
  }
}

/** `parents` and `subtree`, as lists or as trees of ids, as the query asks for. */
export async function hierarchyOf(
  request: IdentityRequest,
  deps: IdentityDeps,
  row: ProjectRow,
): Promise<Record<string, unknown>> {
  const asks = (name: string): boolean => name in request.query
  for (const direction of ['parents', 'subtree']) {
    if (asks(`${direction}_as_list`) && asks(`${direction}_as_ids`)) {
      throw new Fault(
        'invalid',
        `Cannot use ${direction}_as_list and ${direction}_as_ids query params at the same time.`,
      )
    }
  }
  const shown: Record<string, unknown> = {}
  if (asks('parents_as_list') || asks('parents_as_ids')) {
    const above = await ancestors(deps.db, row)
    shown['parents'] = asks('parents_as_list')
      ? await asList(request, deps, above)
      : above.reduceRight<Record<string, unknown> | null>((rest, parent) => ({ [parent.id]: rest }), null)
  }
  if (asks('subtree_as_list') || asks('subtree_as_ids')) {
    const below = await descendants(deps.db, row.id)
    shown['subtree'] = asks('subtree_as_list') ? await asList(request, deps, below) : asTree(row.id, below)
  }
  return shown
}

async function asList(request: IdentityRequest, deps: IdentityDeps, rows: readonly ProjectRow[]) {
  const tags = await tagsOf(
    deps.db,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({ project: projectView(request.origin, row, tags.get(row.id) ?? []) }))
}

function asTree(id: string, rows: readonly ProjectRow[]): Record<string, unknown> | null {
  const children = rows.filter((row) => row.parent_id === id)
  if (children.length === 0) return null
  return Object.fromEntries(children.map((child) => [child.id, asTree(child.id, rows)]))
}
