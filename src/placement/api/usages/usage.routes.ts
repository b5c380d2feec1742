import { type TSchema, Type } from 'typebox'
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import { getProvider } from '../../store/providers.ts'
import { getProjectUsages, getProviderUsages, getUsagesByType } from '../../store/usages.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { lastOf } from '../query.ts'
import { setModified } from '../request.ts'

const strict = { additionalProperties: false }
const idRules = { minLength: 1, maxLength: 255 }
const Id: TSchema = Type.Unsafe({
  type: ['string', 'array'],
  ...idRules,
  items: { type: 'string', ...idRules },
})
const typeRules = { pattern: '^[A-Z0-9_]+$|^all$|^unknown$', ...idRules }
const ConsumerType: TSchema = Type.Unsafe({
  type: ['string', 'array'],
  ...typeRules,
  items: { type: 'string', ...typeRules },
})
const query = Type.Object({ project_id: Id, user_id: Type.Optional(Id) }, strict)
const queryWithType = Type.Object(
  { project_id: Id, user_id: Type.Optional(Id), consumer_type: Type.Optional(ConsumerType) },
  strict,
)
const queryAt = (version: Microversion): TSchema => (version >= parseVersion('1.38') ? queryWithType : query)

export const usageRoutes: readonly PlacementRoute[] = [
  {
    get: '/resource_providers/:uuid/usages',
    policy: 'placement:resource_providers:usages',
    handler: showProviderUsages,
  },
  { get: '/usages', policy: 'placement:usages', since: '1.9', query: queryAt, handler: showTotalUsages },
]

async function showProviderUsages(request: Request, deps: PlacementDeps): Promise<unknown> {
  const provider = await getProvider(deps.db, request.params['uuid']!)
  setModified(request)
  return {
    resource_provider_generation: provider.generation,
    usages: await getProviderUsages(deps.db, provider.id),
  }
}

async function showTotalUsages(request: Request, deps: PlacementDeps): Promise<unknown> {
  const projectId = lastOf(request, 'project_id')!
  request.authorize('placement:usages', { project_id: projectId })
  const filter = { projectId, userId: lastOf(request, 'user_id') }
  setModified(request)
  const usages = request.atLeast('1.38')
    ? await getUsagesByType(deps.db, { ...filter, type: lastOf(request, 'consumer_type') })
    : await getProjectUsages(deps.db, filter)
  return { usages }
}
