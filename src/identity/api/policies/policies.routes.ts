import { Type } from 'typebox'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { extraOf, mergedExtra, parseObject } from '../../store/extra.ts'
import {
  getPolicy,
  insertPolicy,
  listPolicies,
  type PolicyRow,
  removePolicy,
  updatePolicy,
} from '../../store/policies.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { creation, Text, update } from '../schemas.ts'

const properties = { blob: Text, type: Type.String({ maxLength: 255 }) }
const own = ['id', 'blob', 'type']

interface PolicyBody {
  id?: string
  blob?: string
  type?: string
  [extra: string]: unknown
}

export function policyView(origin: string, row: PolicyRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    type: row.type,
    blob: row.blob,
    links: { self: `${origin}/v3/policies/${row.id}` },
  }
}

export const policyRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/policies',
    rule: 'identity:list_policies',
    async handler(request, deps) {
      const views = (await listPolicies(deps.db)).map((row) => policyView(request.origin, row))
      return collection(request, 'policies', filtered(request, views, ['type']))
    },
  },
  {
    get: '/v3/policies/:policy_id',
    rule: 'identity:get_policy',
    async handler(request, deps) {
      const row = await getPolicy(deps.db, request.params['policy_id']!)
      return { policy: policyView(request.origin, row) }
    },
  },
  {
    post: '/v3/policies',
    rule: 'identity:create_policy',
    body: { key: 'policy', schema: creation(properties, ['blob', 'type']) },
    status: 201,
    async handler(request: IdentityRequest<{ policy: PolicyBody }>, deps) {
      const body = request.body.policy
      const row = { id: newHexId(), type: body.type!, blob: body.blob!, extra: extraOf(body, own) }
      await insertPolicy(deps.db, row)
      return { policy: policyView(request.origin, row) }
    },
  },
  {
    patch: '/v3/policies/:policy_id',
    rule: 'identity:update_policy',
    body: { key: 'policy', schema: update(properties) },
    async handler(request: IdentityRequest<{ policy: PolicyBody }>, deps) {
      const row = await getPolicy(deps.db, request.params['policy_id']!)
      const body = request.body.policy
      if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change policy ID')
      await updatePolicy(deps.db, row.id, {
        ...(body.type === undefined ? {} : { type: body.type }),
        ...(body.blob === undefined ? {} : { blob: body.blob }),
        extra: mergedExtra(row.extra, body, own),
      })
      return { policy: policyView(request.origin, await getPolicy(deps.db, row.id)) }
    },
  },
  {
    delete: '/v3/policies/:policy_id',
    rule: 'identity:delete_policy',
    async handler(request, deps) {
      const { id } = await getPolicy(deps.db, request.params['policy_id']!)
      await removePolicy(deps.db, id)
    },
  },
]
