/** Shows rows to a caller: the view, without what policies hide. */
import type { Db } from '../../base/db/database.ts'
import type { ApiRequest } from '../../base/http/route.ts'
import type { Tables } from '../store/tables.ts'
import { canShow, shownTo, targetOf } from './access.ts'
import type { Values } from './attributes.ts'
import type { Caller } from './caller.ts'
import type { AnyResource, ApiDeps, Created, Resource } from './resource.ts'
import { rowsById } from './rows.ts'

/** Facts for the policies of resources. */
export async function factsOf(
  resource: AnyResource,
  db: Db<Tables>,
  resources: readonly Values[],
  caller: Caller,
): Promise<Values[]> {
  return resource.facts === undefined ? resources.map(() => ({})) : resource.facts(db, resources, caller)
}

/** Rows as this caller sees them; undefined where the policy hides the whole. */
export async function present<Row extends { id: string }>(
  resource: Resource<Row>,
  request: ApiRequest,
  db: Db<Tables>,
  rows: readonly Row[],
  caller: Caller,
  deps: ApiDeps,
  fields: readonly string[],
  own = false,
): Promise<(Values | undefined)[]> {
  const asked = fields.length === 0 ? {} : { fields: new Set(fields) }
  const views = await resource.view(db, rows, { options: deps.options, caller, ...asked })
  return await showViews(resource, request, views, caller, deps, fields, own)
}

/** What was just made, as the one who made it sees it. */
export async function presentNew(
  resource: AnyResource,
  request: ApiRequest,
  made: readonly (string | Created)[],
  caller: Caller,
  deps: ApiDeps,
): Promise<(Values | undefined)[]> {
  const context = { options: deps.options, caller }
  const ids = made.filter((one) => typeof one === 'string')
  const rows = await rowsById(deps.db, resource, ids)
  const read: Values[] = await resource.view(deps.db, rows, context)
  const byId = new Map(read.map((view) => [view['id'], view]))
  const views = made
    .map((one) => (typeof one === 'string' ? byId.get(one) : one.view(context)))
    .filter((view) => view !== undefined)
  return await showViews(resource, request, views, caller, deps, [], true)
}

async function showViews(
  resource: AnyResource,
  request: ApiRequest,
  views: readonly Values[],
  caller: Caller,
  deps: ApiDeps,
  fields: readonly string[],
  own: boolean,
): Promise<(Values | undefined)[]> {
  // An admin passes every rule about owners: the facts would be read for nothing.
  const facts = caller.admin ? [] : await factsOf(resource, deps.db, views, caller)
  return views.map((view, index) => {
    let made: Values | undefined
    const target = (): Values => (made ??= targetOf(view, facts[index]))
    if (!own && !canShow(request, resource, target)) return undefined
    return shownTo(request, resource, view, target, fields)
  })
}
