/** The routes of a resource: list, show, create (one or many), update, delete. */

import type { ApiRequest, Route } from '../../base/http/route.ts'
import { neutronFault } from '../errors.ts'
import { reserveQuota } from '../store/quotas.ts'
import { deleteRbacPoliciesOf } from '../store/rbac-policies.ts'
import { touch } from '../store/standard.ts'
import { deleteTagsOf } from '../store/tags.ts'
import { inWork, type Work } from '../work.ts'
import { authorizeChange, authorizeWrite, targetOf } from './access.ts'
import type { Values } from './attributes.ts'
import { readCreateBody, readUpdateBody } from './body.ts'
import { type Caller, callerOf } from './caller.ts'
import { expectedRevision } from './if-match.ts'
import { isUnchanged } from './if-none-match.ts'
import { pageLinks } from './links.ts'
import { factsOf, present, presentNew } from './present.ts'
import { readFields, readListQuery } from './query.ts'
import type { AnyResource, ApiDeps, Created } from './resource.ts'
import { getVisible, listRows, rowsById } from './rows.ts'

export function resourceRoutes(resource: AnyResource): Route<ApiDeps>[] {
  const collection = `/v2.0/${resource.path}`
  const one = `${collection}/:id`
  const policy = 'network_api'
  const routes: Route<ApiDeps>[] = [
    { get: collection, policy, handler: (request, deps) => list(resource, request, deps) },
    { get: one, policy, handler: (request, deps) => show(resource, request, deps) },
  ]
  if (resource.create !== undefined) {
    routes.push({
      post: collection,
      policy,
      status: 201,
      handler: (request, deps) => create(resource, request, deps),
    })
  }
  if (resource.update !== undefined)
    routes.push({ put: one, policy, handler: (request, deps) => update(resource, request, deps) })
  if (resource.remove !== undefined)
    routes.push({ delete: one, policy, handler: (request, deps) => remove(resource, request, deps) })
  return routes
}

async function list(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const caller = callerOf(request)
  const query = readListQuery(resource, request.query, deps.options)
  if (await isUnchanged(resource, request, deps.db, query)) return undefined
  await resource.beforeList?.(deps, caller, query.filters)
  const rows = await listRows(deps.db, resource, query, caller)
  const shown = await present(resource, request, deps.db, rows, caller, deps, query.fields)
  const body: Values = { [resource.collection]: shown.filter((view) => view !== undefined) }
  const links = pageLinks(request, query, rows)
  if (links.length > 0) body[`${resource.collection}_links`] = links
  return body
}

async function show(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const caller = callerOf(request)
  const row = await getVisible(deps.db, resource, request.params['id']!, caller)
  const fields = readFields(request.query)
  const [view] = await present(resource, request, deps.db, [row], caller, deps, fields)
  if (view === undefined) throw resource.unknown(request.params['id']!)
  return { [resource.name]: view }
}

async function create(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const caller = callerOf(request)
  const { items, bulk } = readCreateBody(resource, request.body, caller, deps.options.allowBulk)
  const facts = await factsOf(
    resource,
    deps.db,
    items.map((item) => item.values),
    caller,
  )
  for (const [index, item] of items.entries())
    authorizeWrite(request, resource, 'create', targetOf(item.values, facts[index]), item)
  const made = await inWork(deps, async (work) => {
    if (resource.counted === true) {
      await reserveQuota(
        work,
        resource.name,
        items.map((item) => item.values['project_id'] as string),
      )
    }
    const all: (string | Created)[] = []
    for (const item of items) all.push(await resource.create!(work, { ...item.values }, caller))
    return all
  })
  const views = await presentNew(resource, request, made, caller, deps)
  return bulk ? { [resource.collection]: views } : { [resource.name]: views[0] }
}

async function update(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const caller = callerOf(request)
  const id = request.params['id']!
  const sent = readUpdateBody(resource, request.body, caller)
  await inWork(deps, async (work) => {
    const row = await getVisible(work.db, resource, id, caller)
    const [target] = await targets(resource, work, [row], caller)
    authorizeChange(request, resource, 'update', { ...target, ...targetChanges(sent.values) }, sent)
    assertRevision(request, row)
    if (sent.named.length === 0) return
    await resource.update!(work, row, { ...sent.values }, caller)
    if (resource.standard === true) await touch(work, resource.table, id)
  })
  const rows = await rowsById(deps.db, resource, [id])
  const [view] = await present(resource, request, deps.db, rows, caller, deps, [], true)
  if (view === undefined) throw resource.unknown(id)
  return { [resource.name]: view }
}

async function remove(resource: AnyResource, request: ApiRequest, deps: ApiDeps): Promise<undefined> {
  const caller = callerOf(request)
  const id = request.params['id']!
  await inWork(deps, async (work) => {
    const row = await getVisible(work.db, resource, id, caller)
    const [target] = await targets(resource, work, [row], caller)
    authorizeChange(request, resource, 'delete', target!)
    assertRevision(request, row)
    await resource.remove!(work, row, caller)
    if (resource.tagged === true) await deleteTagsOf(work.db, [id])
    if (resource.objectType !== undefined) await deleteRbacPoliciesOf(work.db, id)
  })
}

// The owner of a thing decides who may change it, not the one that a change names.
function targetChanges(values: Values): Values {
  const { project_id: _owner, ...others } = values
  return targetOfChanges(others)
}

function targetOfChanges(values: Values): Values {
  const owner = values['device_owner']
  if (typeof owner !== 'string') return values
  return { ...values, network_device: owner.startsWith('network:') }
}

/** Rows as policies see them. */
export async function targets(
  resource: AnyResource,
  work: Work,
  rows: readonly { id: string }[],
  caller: Caller,
): Promise<Values[]> {
  const views = await resource.view(work.db, rows, { options: work.options, caller })
  const facts = await factsOf(resource, work.db, views, caller)
  return views.map((view, index) => targetOf(view, facts[index]))
}

function assertRevision(request: ApiRequest, row: { revision_number?: number }): void {
  const expected = expectedRevision(request)
  if (expected === undefined || expected === row.revision_number) return
  throw neutronFault(
    'precondition-failed',
    'RevisionNumberConstraintFailed',
    `Constrained to ${expected}, but current revision is ${row.revision_number}`,
  )
}
