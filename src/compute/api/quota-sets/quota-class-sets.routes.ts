import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { Microversion } from '../../../base/http/microversion.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { setQuotas } from '../../store/quotas.ts'
import type { ApiDbDeps } from '../deps.ts'
import { defaultLimits, type Limits } from '../quotas/limits.ts'
import { type QuotaResource, resourcesAt } from '../quotas/resources.ts'
import { byVersion, wrapped } from '../schema-types.ts'
import { QuotaLimit } from './quota-sets.routes.ts'

const groups: readonly QuotaResource[] = ['server_groups', 'server_group_members']

// Classes showed server groups and forgot networks at 2.50, later than quota sets did; they could be set before.
const classResources = (version: Microversion): QuotaResource[] =>
  version < 2050
    ? resourcesAt(2035).filter((name) => !groups.includes(name))
    : resourcesAt(Math.max(version, 2036))

const updateBody = byVersion((version) => {
  const names = version < 2050 ? resourcesAt(2035) : classResources(version)
  const limits = names.map((name) => [name, Type.Optional(QuotaLimit)])
  return wrapped('quota_class_set', Type.Object(Object.fromEntries(limits), { additionalProperties: false }))
})

const path = '/os-quota-class-sets/:id'

export const quotaClassRoutes: readonly Route<ApiDbDeps>[] = [
  { get: path, policy: 'os_compute_api:os-quota-class-sets:show', handler: showClass },
  { put: path, policy: 'os_compute_api:os-quota-class-sets:update', body: updateBody, handler: updateClass },
]

function shown(request: ApiRequest<never>, limits: Limits, id?: string) {
  const view: Record<string, unknown> = id === undefined ? {} : { id }
  for (const name of classResources(request.microversion)) view[name] = limits[name]
  return { quota_class_set: view }
}

async function showClass(request: ApiRequest<never>, deps: ApiDbDeps) {
  const className = request.params['id']!
  return shown(request, await defaultLimits(deps.apiDb, deps.config, className), className)
}

async function updateClass(
  request: ApiRequest<{ quota_class_set: Record<string, number | string> }>,
  deps: ApiDbDeps,
) {
  const className = request.params['id']!
  if (className.length > 255) throw new Fault('invalid', 'quota_class_name has more than 255 characters.')
  const limits = Object.entries(request.body.quota_class_set).map(([name, limit]): [string, number] => [
    name,
    Number(limit),
  ])
  await inTransaction(deps.apiDb, (db) => setQuotas(db, { className }, new Map(limits)))
  return shown(request as ApiRequest<never>, await defaultLimits(deps.apiDb, deps.config, className))
}
