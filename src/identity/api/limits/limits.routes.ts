import { Type } from 'typebox'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import {
  findLimit,
  findRegisteredLimit,
  getLimit,
  insertLimit,
  type LimitRow,
  listLimits,
  removeLimit,
  updateLimit,
} from '../../store/limits.ts'
import { findProject, getDomain, getProject } from '../../store/projects.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { Id, Nullable, Text } from '../schemas.ts'
import { Amount, assertPlace, ResourceName } from './registered-limits.routes.ts'

const common = {
  service_id: Id,
  region_id: Text,
  resource_name: ResourceName,
  resource_limit: Amount,
  description: Nullable(Text),
}
const ofOwner = (owner: 'project_id' | 'domain_id') => ({
  properties: { ...common, [owner]: Id },
  required: [owner, 'service_id', 'resource_name', 'resource_limit'],
  additionalProperties: false,
})
const creations = Type.Array(
  Type.Unsafe({ type: 'object', oneOf: [ofOwner('project_id'), ofOwner('domain_id')] }),
  { minItems: 1 },
)

interface Body {
  project_id?: string
  domain_id?: string
  service_id: string
  region_id?: string
  resource_name: string
  resource_limit: number
  description?: string | null
}

const one = '/v3/limits/:limit_id'

function limitView(origin: string, row: LimitRow): Record<string, unknown> {
  const { registered_limit_id: _, ...shown } = row
  return { ...shown, links: { self: `${origin}/v3/limits/${row.id}` } }
}

async function limitTarget(request: IdentityRequest, deps: IdentityDeps) {
  const row = await findLimit(deps.db, request.params['limit_id']!)
  if (row === undefined) return {}
  if (row.project_id === null) return { target: { limit: { domain: { id: row.domain_id } } } }
  const project = await findProject(deps.db, row.project_id)
  return { target: { limit: { project_id: row.project_id, project: { domain_id: project?.domain_id } } } }
}

export const limitRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/limits/model',
    rule: 'identity:get_limit_model',
    handler: () => ({
      model: {
        name: 'flat',
        description: 'Limit enforcement and validation does not take project hierarchy into consideration.',
      },
    }),
  },
  {
    get: '/v3/limits',
    rule: 'identity:list_limits',
    async handler(request, deps) {
      const visible = await visibleTo(request, deps, await listLimits(deps.db))
      const views = visible.map((row) => limitView(request.origin, row))
      const attributes = ['service_id', 'region_id', 'resource_name', 'project_id', 'domain_id']
      return collection(request, 'limits', filtered(request, views, attributes))
    },
  },
  {
    get: one,
    rule: 'identity:get_limit',
    target: limitTarget,
    async handler(request, deps) {
      return { limit: limitView(request.origin, await getLimit(deps.db, request.params['limit_id']!)) }
    },
  },
  {
    post: '/v3/limits',
    rule: 'identity:create_limits',
    body: { key: 'limits', schema: creations },
    status: 201,
    leavesTokens: true,
    handler: create,
  },
  {
    patch: one,
    rule: 'identity:update_limit',
    body: {
      key: 'limit',
      schema: Type.Object(
        { resource_limit: Type.Optional(Amount), description: Type.Optional(Nullable(Text)) },
        { additionalProperties: false },
      ),
    },
    leavesTokens: true,
    async handler(
      request: IdentityRequest<{ limit?: { resource_limit?: number; description?: string | null } }>,
      deps,
    ) {
      const row = await getLimit(deps.db, request.params['limit_id']!)
      const change = request.body.limit ?? {}
      if (Object.keys(change).length > 0) await updateLimit(deps.db, row.id, change)
      return { limit: limitView(request.origin, await getLimit(deps.db, row.id)) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_limit',
    leavesTokens: true,
    async handler(request, deps) {
      const { id } = await getLimit(deps.db, request.params['limit_id']!)
      await removeLimit(deps.db, id)
    },
  },
]

// The whole deployment's to who may see it all; else those of the token's domain or project.
async function visibleTo(request: IdentityRequest, deps: IdentityDeps, rows: readonly LimitRow[]) {
  const { context } = request
  if (context.systemScope) return rows
  const { domainId, projectId } = context
  if (domainId === null) return rows.filter((row) => projectId !== null && row.project_id === projectId)
  const kept: LimitRow[] = []
  for (const row of rows) {
    const owner =
      row.project_id === null ? row.domain_id : (await findProject(deps.db, row.project_id))?.domain_id
    if (owner === domainId) kept.push(row)
  }
  return kept
}

async function create(request: IdentityRequest<{ limits: Body[] }>, deps: IdentityDeps) {
  const rows: Parameters<typeof insertLimit>[1][] = []
  for (const wanted of request.body.limits) {
    await assertPlace(deps, wanted)
    if (wanted.project_id !== undefined) await getProject(deps.db, wanted.project_id)
    if (wanted.domain_id !== undefined) await getDomain(deps.db, wanted.domain_id)
    const { service_id, resource_name } = wanted
    const resource = { service_id, resource_name, region_id: wanted.region_id ?? null }
    const registered = await findRegisteredLimit(deps.db, resource)
    if (registered === undefined) {
      throw new Fault('forbidden', 'Unable to create a limit that has no corresponding registered limit.')
    }
    rows.push({
      id: newHexId(),
      registered_limit_id: registered.id,
      project_id: wanted.project_id ?? null,
      domain_id: wanted.domain_id ?? null,
      resource_limit: wanted.resource_limit,
      description: wanted.description ?? null,
    })
  }
  await inTransaction(deps.db, async (transaction) => {
    for (const row of rows) await insertLimit(transaction, row)
  })
  const created = await Promise.all(rows.map((row) => getLimit(deps.db, row.id)))
  return { limits: created.map((row) => limitView(request.origin, row)) }
}
