/** Quotas (`/v2.0/quotas`): limits of projects, and what they use of them. */
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { badRequest, neutronFault } from '../../errors.ts'
import { countAllUsed, countedResources, countUsed, defaultLimit, readUsage } from '../../store/quotas.ts'
import { inWork } from '../../work.ts'
import * as check from '../checks.ts'
import { expectObject, toBoolean, toInteger } from '../converters.ts'
import { readFields } from '../query.ts'
import type { ApiDeps } from '../resource.ts'

const policy = 'network_api'
const one = '/v2.0/quotas/:project'
const limitCheck = check.range(-1, 2 ** 31 - 1)

export const quotaRoutes: readonly Route<ApiDeps>[] = [
  { get: '/v2.0/quotas', policy: 'get_quota', handler: (_request, deps) => listQuotas(deps) },
  { get: '/v2.0/quotas/tenant', policy, handler: (request) => ownProject(request, 'tenant') },
  { get: '/v2.0/quotas/project', policy, handler: (request) => ownProject(request, 'project') },
  {
    post: '/v2.0/quotas',
    policy,
    handler: () => {
      throw neutronFault(
        'not-implemented',
        'HTTPNotImplemented',
        'POST requests are not supported on this resource.',
      )
    },
  },
  {
    get: one,
    policy,
    handler: async (request, deps) => ({ quota: await limitsOf(deps, readable(request)) }),
  },
  {
    get: `${one}/default`,
    policy,
    handler: (request, deps) => {
      readable(request)
      return {
        quota: Object.fromEntries(countedResources.map((name) => [name, defaultLimit(deps.options, name)])),
      }
    },
  },
  { get: `${one}/details`, policy, handler: showDetails },
  // The path in the API reference; some clients use it.
  { get: `${one}/details.json`, policy, handler: showDetails },
  { put: one, policy: 'update_quota', handler: updateQuotas },
  {
    delete: one,
    policy: 'delete_quota',
    handler: async (request, deps) => {
      await deps.db.deleteFrom('quotas').where('project_id', '=', request.params['project']!).execute()
    },
  },
]

/** The project of the path; another's limits are for admins. */
function readable(request: ApiRequest): string {
  const projectId = request.params['project']!
  if (projectId !== request.context.projectId) request.authorize('get_quota')
  return projectId
}

function ownProject(request: ApiRequest, key: 'tenant' | 'project'): unknown {
  const { projectId } = request.context
  if (projectId === null) {
    throw neutronFault('invalid', 'QuotaMissingTenant', 'Tenant-id was missing from quota request.')
  }
  return { [key]: { [`${key}_id`]: projectId } }
}

async function limitsOf(deps: ApiDeps, projectId: string): Promise<Record<string, number>> {
  const rows = await deps.db.selectFrom('quotas').selectAll().where('project_id', '=', projectId).execute()
  const own = new Map(rows.map((row) => [row.resource, row.limit]))
  return Object.fromEntries(
    countedResources.map((name) => [name, own.get(name) ?? defaultLimit(deps.options, name)]),
  )
}

async function listQuotas(deps: ApiDeps): Promise<unknown> {
  const rows = await deps.db
    .selectFrom('quotas')
    .select('project_id')
    .distinct()
    .orderBy('project_id')
    .execute()
  const quotas = []
  for (const { project_id: projectId } of rows)
    quotas.push({ ...(await limitsOf(deps, projectId)), project_id: projectId, tenant_id: projectId })
  return { quotas }
}

/** With `fields`, which OpenStack's own server does not look at, only those resources are counted. */
async function showDetails(request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const projectId = request.params['project']!
  if (projectId !== request.context.projectId && !request.can('context_is_admin')) {
    throw neutronFault(
      'forbidden',
      'AdminRequired',
      'User does not have admin privileges: Only admin is authorized to access quotas for another project.',
    )
  }
  const fields = readFields(request.query)
  const quota: Record<string, unknown> = {}
  if (fields.length > 0) {
    for (const name of countedResources.filter((resource) => fields.includes(resource)))
      quota[name] = { ...(await readUsage(deps.db, name, projectId, deps.options)), reserved: 0 }
    return { quota }
  }
  const limits = await limitsOf(deps, projectId)
  const used = await countAllUsed(deps.db, projectId)
  for (const name of countedResources) quota[name] = { limit: limits[name], used: used[name], reserved: 0 }
  return { quota }
}

async function updateQuotas(request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const projectId = request.params['project']!
  const { force: _force, check_limit: checkLimit, ...sent } = readBody(request.body)
  const limits = new Map<(typeof countedResources)[number], number>()
  for (const [name, value] of Object.entries(sent)) {
    if (name === 'project_id' || name === 'tenant_id') continue
    const known = countedResources.find((resource) => resource === name)
    if (known === undefined) throw badRequest(`Unrecognized attribute(s) '${name}'`)
    const limit = toInteger(value)
    const reason = limitCheck(limit)
    if (reason !== undefined) throw badRequest(`Invalid input for ${name}. Reason: ${reason}.`)
    limits.set(known, limit)
  }
  await inWork(deps, async (work) => {
    for (const [resource, limit] of limits) {
      if (checkLimit !== undefined && toBoolean(checkLimit)) {
        const used = await countUsed(work.db, resource, projectId)
        if (limit >= 0 && used > limit) {
          throw badRequest(
            `Quota limit ${limit} for ${resource} must be greater than or equal to already used ${used}`,
          )
        }
      }
      const key = { project_id: projectId, resource }
      await work.db
        .deleteFrom('quotas')
        .where('project_id', '=', projectId)
        .where('resource', '=', resource)
        .execute()
      await work.db
        .insertInto('quotas')
        .values({ ...key, limit })
        .execute()
    }
  })
  return { quota: await limitsOf(deps, projectId) }
}

function readBody(body: unknown): Record<string, unknown> {
  const object = body as { quota?: unknown } | undefined
  if (object === undefined || object === null || typeof object !== 'object')
    throw badRequest('Resource body required')
  if (object.quota === undefined || object.quota === null)
    throw badRequest("Unable to find 'quota' in request body")
  return expectObject(object.quota, 'quota')
}
