/** Which endpoints a policy is for. */
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { getEndpoint, getRegion, getService } from '../../store/catalog.ts'
import { getPolicy } from '../../store/policies.ts'
import {
  associatePolicy,
  endpointsOfPolicy,
  type PolicyPlace,
  policyIdFor,
  policyIdOf,
  removeAssociation,
} from '../../store/policy-associations.ts'
import { collection } from '../collection.ts'
import { endpointView } from '../endpoints/endpoints.routes.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { policyView } from './policies.routes.ts'

const extension = '/v3/policies/:policy_id/OS-ENDPOINT-POLICY'

const places = [
  [`${extension}/endpoints/:endpoint_id`, 'endpoint'],
  [`${extension}/services/:service_id`, 'service'],
  [`${extension}/services/:service_id/regions/:region_id`, 'region_and_service'],
] as const

const notAssociated = (): Fault => new Fault('not-found', 'Could not find policy association.')

/** The policy and the place of the path; all that it names must be there. */
async function ofPath(request: IdentityRequest, { db }: IdentityDeps) {
  const { policy_id, endpoint_id, service_id, region_id } = request.params
  const { id } = await getPolicy(db, policy_id!)
  const place: PolicyPlace = {
    ...(endpoint_id === undefined ? {} : { endpointId: (await getEndpoint(db, endpoint_id)).id }),
    ...(service_id === undefined ? {} : { serviceId: (await getService(db, service_id)).id }),
    ...(region_id === undefined ? {} : { regionId: (await getRegion(db, region_id)).id }),
  }
  return { policyId: id, place }
}

export const policyAssociationRoutes: readonly IdentityRoute[] = [
  ...places.flatMap(([path, kind]): IdentityRoute[] => [
    {
      get: path,
      rule: `identity:check_policy_association_for_${kind}`,
      async handler(request, deps) {
        const { policyId, place } = await ofPath(request, deps)
        if ((await policyIdOf(deps.db, place)) !== policyId) throw notAssociated()
      },
    },
    {
      put: path,
      rule: `identity:create_policy_association_for_${kind}`,
      leavesTokens: true,
      async handler(request, deps) {
        const { policyId, place } = await ofPath(request, deps)
        await inTransaction(deps.db, (transaction) => associatePolicy(transaction, policyId, place))
      },
    },
    {
      delete: path,
      rule: `identity:delete_policy_association_for_${kind}`,
      leavesTokens: true,
      async handler(request, deps) {
        const { policyId, place } = await ofPath(request, deps)
        if (!(await removeAssociation(deps.db, policyId, place))) throw notAssociated()
      },
    },
  ]),
  {
    get: `${extension}/endpoints`,
    rule: 'identity:list_endpoints_for_policy',
    async handler(request, deps) {
      const { policyId } = await ofPath(request, deps)
      const rows = await endpointsOfPolicy(deps.db, policyId)
      return collection(
        request,
        'endpoints',
        rows.map((row) => endpointView(request.origin, row)),
      )
    },
  },
  {
    get: '/v3/endpoints/:endpoint_id/OS-ENDPOINT-POLICY/policy',
    rule: 'identity:get_policy_for_endpoint',
    async handler(request, deps) {
      const endpoint = await getEndpoint(deps.db, request.params['endpoint_id']!)
      const policyId = await policyIdFor(deps.db, endpoint)
      if (policyId === undefined) {
        throw new Fault('not-found', `No policy is associated with endpoint ${endpoint.id}.`)
      }
      return { policy: policyView(request.origin, await getPolicy(deps.db, policyId)) }
    },
  },
]
