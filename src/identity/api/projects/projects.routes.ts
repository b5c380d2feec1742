import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { extraOf, mergedExtra, mergedOptions } from '../../store/extra.ts'
import {
  descendants,
  findDomain,
  findProject,
  getProject,
  insertProject,
  listProjects,
  type ProjectRow,
  projectToChange,
  removeProjects,
  replaceTags,
  tagsOf,
  updateProject,
} from '../../store/projects.ts'
import { rootDomain } from '../../store/tables.ts'
import { collection, filtered, isTrue, queried } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { assertMutable } from '../immutable.ts'
import { ownDomainId } from '../own-domain.ts'
import { assertMayHoldProject, assertMaySwitch, hierarchyOf } from './hierarchy.ts'
import {
  type ProjectBody,
  projectAttributes,
  projectCreation,
  projectUpdate,
  projectView,
} from './project.ts'
import { fitsTags } from './tag-filters.ts'

/** The project of the path, as the target of policies. */
export async function projectTarget(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findProject(deps.db, request.params['project_id']!)
  if (row === undefined) return {}
  const domainId = row.is_domain === 1 ? undefined : row.domain_id
  return { target: { project: { id: row.id, domain_id: domainId } } }
}

/** Projects with their tags, as they are shown in lists. */
export async function projectViews(
  request: IdentityRequest,
  deps: IdentityDeps,
  rows: readonly ProjectRow[],
): Promise<Record<string, unknown>[]> {
  const tags = await tagsOf(
    deps.db,
    rows.map((row) => row.id),
  )
  return rows.map((row) => projectView(request.origin, row, tags.get(row.id) ?? []))
}

export const projectRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/projects',
    rule: 'identity:list_projects',
    target: (request) => ({ target: { domain_id: request.context.domainId ?? undefined } }),
    handler: list,
  },
  {
    get: '/v3/projects/:project_id',
    rule: 'identity:get_project',
    target: projectTarget,
    async handler(request, deps) {
      const row = await getProject(deps.db, request.params['project_id']!)
      const [view] = await projectViews(request, deps, [row])
      return { project: { ...view, ...(await hierarchyOf(request, deps, row)) } }
    },
  },
  {
    post: '/v3/projects',
    rule: 'identity:create_project',
    body: { key: 'project', schema: projectCreation },
    status: 201,
    handler: create,
  },
  {
    patch: '/v3/projects/:project_id',
    rule: 'identity:update_project',
    target: projectTarget,
    body: { key: 'project', schema: projectUpdate },
    handler: change,
  },
  {
    delete: '/v3/projects/:project_id',
    rule: 'identity:delete_project',
    target: projectTarget,
    handler: remove,
  },
]

async function list(request: IdentityRequest, deps: IdentityDeps) {
  const isDomain = queried(request, 'is_domain')
  const parentId = queried(request, 'parent_id')
  const domainId = request.context.domainId ?? queried(request, 'domain_id')
  const rows = await listProjects(deps.db, {
    isDomain: isDomain !== undefined && isTrue(isDomain),
    ...(domainId === undefined ? {} : { domainId }),
    ...(parentId === undefined ? {} : { parentId }),
  })
  const views = await projectViews(request, deps, rows)
  const fitting = filtered(request, views, ['name', 'enabled', 'domain_id', 'parent_id'])
  return collection(
    request,
    'projects',
    fitting.filter((view) => fitsTags(request, view['tags'] as string[])),
  )
}

async function create(request: IdentityRequest<{ project: ProjectBody }>, deps: IdentityDeps) {
  const body = request.body.project
  const place = body.is_domain === true ? placeOfDomain(body) : await placeOf(request, deps, body)
  const row: ProjectRow = {
    ...place,
    id: newHexId(),
    name: body.name!.trim(),
    description: body.description ?? '',
    enabled: body.enabled === false ? 0 : 1,
    extra: extraOf(body, projectAttributes),
    options: mergedOptions('{}', body.options),
  }
  await inTransaction(deps.db, async (transaction) => {
    await insertProject(transaction, row)
    await replaceTags(transaction, row.id, body.tags ?? [])
  })
  const [view] = await projectViews(request, deps, [row])
  return { project: view }
}

function placeOfDomain(body: ProjectBody) {
  for (const key of ['domain_id', 'parent_id'] as const) {
    if (body[key] === undefined || body[key] === null) continue
    throw new Fault('invalid', `It is not permitted to have a ${key} for a project acting as a domain.`)
  }
  return { domain_id: rootDomain, parent_id: null, is_domain: 1 }
}

async function placeOf(request: IdentityRequest, deps: IdentityDeps, body: ProjectBody) {
  const wantedParent = body.parent_id ?? undefined
  const parent = wantedParent === undefined ? undefined : await getProject(deps.db, wantedParent)
  const ofParent = parent?.is_domain === 1 ? parent.id : parent?.domain_id
  const domainId = body.domain_id ?? ofParent ?? ownDomainId(request)
  const domain = await findDomain(deps.db, domainId)
  if (domain === undefined) throw new Fault('not-found', `Could not find domain: ${domainId}.`)
  if (ofParent !== undefined && ofParent !== domainId) {
    throw new Fault('invalid', `Invalid parent project: its domain is ${ofParent}, not ${domainId}.`)
  }
  await assertMayHoldProject(deps, parent ?? domain)
  return { domain_id: domainId, parent_id: wantedParent ?? domainId, is_domain: 0 }
}

async function change(request: IdentityRequest<{ project: ProjectBody }>, deps: IdentityDeps) {
  const row = await getProject(deps.db, request.params['project_id']!)
  const body = request.body.project
  assertMutable('project', row, body)
  assertPlaceStays(row, body)
  await changeProject(deps, row, body)
  const [view] = await projectViews(request, deps, [await getProject(deps.db, row.id)])
  return { project: view }
}

/** Writes what an update body says; tokens of a project that is disabled end. */
export async function changeProject(deps: IdentityDeps, row: ProjectRow, body: ProjectBody): Promise<void> {
  const { name, description, enabled } = body
  if (enabled !== undefined && (enabled ? 1 : 0) !== row.enabled) await assertMaySwitch(deps, row, enabled)
  await inTransaction(deps.db, async (transaction) => {
    const held = await projectToChange(transaction, row.id)
    await updateProject(transaction, held, {
      ...(name === undefined ? {} : { name: name.trim() }),
      ...(description === undefined ? {} : { description }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
      ...(body.options === undefined ? {} : { options: mergedOptions(held.options, body.options) }),
      extra: mergedExtra(held.extra, body, projectAttributes),
    })
    if (body.tags !== undefined) await replaceTags(transaction, row.id, body.tags)
  })
  if (enabled !== false || row.enabled === 0) return
  await deps.state.revoke(row.is_domain === 1 ? { domain_id: row.id } : { project_id: row.id })
}

function assertPlaceStays(row: ProjectRow, body: ProjectBody): void {
  if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change project ID')
  if (body.parent_id !== undefined && body.parent_id !== row.parent_id) {
    throw new Fault('forbidden', 'Update of `parent_id` is not allowed.')
  }
  const domainId = row.is_domain === 1 ? null : row.domain_id
  if (body.domain_id !== undefined && body.domain_id !== domainId) {
    throw new Fault('invalid', 'Update of `domain_id` is not allowed.')
  }
  if (body.is_domain !== undefined && body.is_domain !== (row.is_domain === 1)) {
    throw new Fault('invalid', 'Update of `is_domain` is not allowed.')
  }
}

async function remove(request: IdentityRequest, deps: IdentityDeps) {
  const row = await getProject(deps.db, request.params['project_id']!)
  assertMutable('project', row)
  if (row.is_domain === 1 && row.enabled === 1) {
    throw new Fault(
      'forbidden',
      `cannot delete an enabled project acting as a domain. Please disable the project ${row.id} first.`,
    )
  }
  if ((await descendants(deps.db, row.id)).length > 0) {
    throw new Fault(
      'forbidden',
      `Cannot delete the project ${row.id} since it is not a leaf in the hierarchy. Use the cascade option if you want to delete a whole subtree.`,
    )
  }
  await inTransaction(deps.db, (transaction) => removeProjects(transaction, [row.id]))
}
