import { type TSchema, Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { deleteQuotas, type QuotaOwner, setQuotas } from '../../store/quotas.ts'
import type { ApiDbDeps, ProjectDeps } from '../deps.ts'
import { assertProject } from '../flavors/flavors.routes.ts'
import { queryValue } from '../paging.ts'
import { defaultLimits, limitsOf, type Usage, usageOf } from '../quotas/limits.ts'
import { type QuotaResource, resourcesAt } from '../quotas/resources.ts'
import { AnyText, byVersion, Flag, isTrue, queryOf, wrapped } from '../schema-types.ts'

/** -1: no limit. */
export const QuotaLimit = Type.Unsafe<number | string>({
  type: ['integer', 'string'],
  pattern: '^-?[0-9]+$',
  minimum: -1,
  maximum: 0x7fffffff,
})

const query = byVersion((version) => queryOf({ user_id: AnyText }, { strict: version >= 2075 }))

const updateBody = byVersion((version) => {
  const limits: Record<string, TSchema> = { force: Type.Optional(Flag) }
  for (const name of resourcesAt(version)) limits[name] = Type.Optional(QuotaLimit)
  // Not ours, nor anybody's: named so that the refusal can say why.
  if (version <= 2035) limits['networks'] = Type.Optional(QuotaLimit)
  return wrapped('quota_set', Type.Object(limits, { additionalProperties: false }))
})

type UpdateBody = { quota_set: Record<string, number | string> & { force?: boolean | string } }

// Whose quotas is told by the path, so the rule is checked in the handlers, with that project as its target.
const base = { policy: 'authenticated', query } as const

export const quotaSetRoutes: readonly Route<ProjectDeps>[] = [
  { get: '/os-quota-sets/:id', ...base, handler: showQuotas },
  { get: '/os-quota-sets/:id/detail', ...base, handler: showDetail },
  { get: '/os-quota-sets/:id/defaults', policy: 'authenticated', handler: showDefaults },
  { put: '/os-quota-sets/:id', ...base, body: updateBody, handler: updateQuotas },
  { delete: '/os-quota-sets/:id', ...base, status: 202, handler: resetQuotas },
]

type Anything = ApiRequest<never>

async function admit(request: Anything, deps: ProjectDeps, rule: string): Promise<string> {
  const projectId = request.params['id']!
  request.authorize(`os_compute_api:os-quota-sets:${rule}`, { project_id: projectId })
  await assertProject(request, deps, projectId)
  return projectId
}

function shown(request: Anything, values: Readonly<Record<string, unknown>>, projectId?: string) {
  const quota_set: Record<string, unknown> = projectId === undefined ? {} : { id: projectId }
  for (const name of resourcesAt(request.microversion)) quota_set[name] = values[name]
  return { quota_set }
}

async function showQuotas(request: Anything, deps: ProjectDeps) {
  const projectId = await admit(request, deps, 'show')
  const limits = await limitsOf(deps.apiDb, deps.config, projectId, queryValue(request, 'user_id'))
  return shown(request, limits, projectId)
}

async function showDefaults(request: Anything, deps: ProjectDeps) {
  const projectId = await admit(request, deps, 'defaults')
  return shown(request, await defaultLimits(deps.apiDb, deps.config), projectId)
}

async function showDetail(request: Anything, deps: ProjectDeps) {
  const projectId = await admit(request, deps, 'detail')
  const userId = queryValue(request, 'user_id')
  const limits = await limitsOf(deps.apiDb, deps.config, projectId, userId)
  const usage: Usage = await usageOf(deps.apiDb, projectId, userId)
  const details = Object.entries(limits).map(([name, limit]) => [
    name,
    { limit, in_use: usage[name as QuotaResource] ?? 0, reserved: 0 },
  ])
  return shown(request, Object.fromEntries(details), projectId)
}

async function updateQuotas(request: ApiRequest<UpdateBody>, deps: ProjectDeps) {
  const projectId = await admit(request as Anything, deps, 'update')
  const userId = queryValue(request as Anything, 'user_id')
  const { force, ...asked } = request.body.quota_set
  if ('networks' in asked) throw new Fault('invalid', 'The networks quota has been removed')
  const limits = new Map(Object.entries(asked).map(([name, limit]) => [name, Number(limit)]))
  const owner: QuotaOwner = userId === undefined ? { projectId } : { projectId, userId }
  await inTransaction(deps.apiDb, async (transaction) => {
    if (!isTrue(force)) await assertSettable(transaction, deps, limits, projectId, userId)
    await setQuotas(transaction, owner, limits)
  })
  return shown(request as Anything, await limitsOf(deps.apiDb, deps.config, projectId, userId))
}

// Not below what is used, and a user's not above the project's.
async function assertSettable(
  db: ApiDbDeps['apiDb'],
  deps: ApiDbDeps,
  limits: ReadonlyMap<string, number>,
  projectId: string,
  userId: string | undefined,
): Promise<void> {
  const usage: Usage = await usageOf(db, projectId, userId)
  const ofProject = userId === undefined ? undefined : await limitsOf(db, deps.config, projectId)
  const size = (limit: number) => (limit === -1 ? Number.POSITIVE_INFINITY : limit)
  for (const [name, limit] of limits) {
    const minimum = usage[name as QuotaResource] ?? 0
    if (limit !== -1 && limit < minimum) {
      throw new Fault(
        'invalid',
        `Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${minimum}.`,
      )
    }
    const maximum = ofProject?.[name as QuotaResource] ?? -1
    if (size(limit) > size(maximum)) {
      throw new Fault('invalid', `Quota limit ${limit} for ${name} must be less than or equal to ${maximum}.`)
    }
  }
}

async function resetQuotas(request: Anything, deps: ProjectDeps) {
  const projectId = request.params['id']!
  request.authorize('os_compute_api:os-quota-sets:delete', { project_id: projectId })
  const userId = queryValue(request, 'user_id')
  await deleteQuotas(deps.apiDb, userId === undefined ? { projectId } : { projectId, userId })
}
