import { Type } from 'typebox'
import { newHexId } from '#base/ids.ts'
import {
  getService,
  insertService,
  listServices,
  removeService,
  type ServiceRow,
  updateService,
} from '../../store/catalog.ts'
import { extraOf, mergedExtra, parseObject } from '../../store/extra.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { creation, Flag, Name, update } from '../schemas.ts'

const properties = { enabled: Flag, name: Name, type: Type.String({ minLength: 1, maxLength: 255 }) }
// The name and description of a service are kept in `extra`, as in keystone's table.
const own = ['id', 'type', 'enabled']

interface ServiceBody {
  type?: string
  enabled?: boolean
  [extra: string]: unknown
}

function serviceView(origin: string, row: ServiceRow): Record<string, unknown> {
  return {
    name: '',
    ...parseObject(row.extra),
    id: row.id,
    type: row.type,
    enabled: row.enabled === 1,
    links: { self: `${origin}/v3/services/${row.id}` },
  }
}

export const serviceRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/services',
    rule: 'identity:list_services',
    async handler(request, deps) {
      const views = (await listServices(deps.db)).map((row) => serviceView(request.origin, row))
      return collection(request, 'services', filtered(request, views, ['type', 'name']))
    },
  },
  {
    get: '/v3/services/:service_id',
    rule: 'identity:get_service',
    async handler(request, deps) {
      const row = await getService(deps.db, request.params['service_id']!)
      return { service: serviceView(request.origin, row) }
    },
  },
  {
    post: '/v3/services',
    rule: 'identity:create_service',
    body: { key: 'service', schema: creation(properties, ['type']) },
    status: 201,
    async handler(request: IdentityRequest<{ service: ServiceBody }>, deps) {
      const body = request.body.service
      const row: ServiceRow = {
        id: newHexId(),
        type: body.type!,
        enabled: body.enabled === false ? 0 : 1,
        extra: extraOf(body, own),
      }
      await insertService(deps.db, row)
      return { service: serviceView(request.origin, row) }
    },
  },
  {
    patch: '/v3/services/:service_id',
    rule: 'identity:update_service',
    body: { key: 'service', schema: update(properties) },
    async handler(request: IdentityRequest<{ service: ServiceBody }>, deps) {
      const row = await getService(deps.db, request.params['service_id']!)
      const body = request.body.service
      await updateService(deps.db, row.id, {
        ...(body.type === undefined ? {} : { type: body.type }),
        ...(body.enabled === undefined ? {} : { enabled: body.enabled ? 1 : 0 }),
        extra: mergedExtra(row.extra, body, own),
      })
      return { service: serviceView(request.origin, await getService(deps.db, row.id)) }
    },
  },
  {
    delete: '/v3/services/:service_id',
    rule: 'identity:delete_service',
    async handler(request, deps) {
      const { id } = await getService(deps.db, request.params['service_id']!)
      await removeService(deps.db, id)
    },
  },
]
