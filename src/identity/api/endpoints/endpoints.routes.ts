import { Type } from 'typebox'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import {
  type EndpointRow,
  findRegion,
  getEndpoint,
  getService,
  insertEndpoint,
  insertRegion,
  listEndpoints,
  removeEndpoint,
  updateEndpoint,
} from '../../store/catalog.ts'
import { extraOf, mergedExtra, parseObject } from '../../store/extra.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { creation, Flag, Text, update } from '../schemas.ts'

const properties = {
  enabled: Flag,
  interface: Type.Unsafe({ type: 'string', enum: ['admin', 'internal', 'public'] }),
  region_id: Text,
  region: Text,
  service_id: Text,
  url: Type.String({ maxLength: 225, pattern: '^[a-zA-Z0-9+.-]+:.+' }),
}
const own = ['id', ...Object.keys(properties)]
/** What a URL may leave open until it is known whose token shows it. */
const placeholders = ['project_id', 'tenant_id', 'user_id', 'public_bind_host', 'admin_bind_host']

interface EndpointBody {
  enabled?: boolean
  interface?: string
  region_id?: string
  region?: string
  service_id?: string
  url?: string
  [extra: string]: unknown
}

/** An endpoint as answers show it. */
export function endpointView(origin: string, row: EndpointRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    interface: row.interface,
    region: row.region_id,
    region_id: row.region_id,
    service_id: row.service_id,
    url: row.url,
    enabled: row.enabled === 1,
    links: { self: `${origin}/v3/endpoints/${row.id}` },
  }
}

export const endpointRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/endpoints',
    rule: 'identity:list_endpoints',
    async handler(request, deps) {
      const views = (await listEndpoints(deps.db)).map((row) => endpointView(request.origin, row))
      const attributes = ['interface', 'service_id', 'region_id']
      return collection(request, 'endpoints', filtered(request, views, attributes))
    },
  },
  {
    get: '/v3/endpoints/:endpoint_id',
    rule: 'identity:get_endpoint',
    async handler(request, deps) {
      const row = await getEndpoint(deps.db, request.params['endpoint_id']!)
      return { endpoint: endpointView(request.origin, row) }
    },
  },
  {
    post: '/v3/endpoints',
    rule: 'identity:create_endpoint',
    body: { key: 'endpoint', schema: creation(properties, ['interface', 'service_id', 'url']) },
    status: 201,
    async handler(request: IdentityRequest<{ endpoint: EndpointBody }>, deps) {
      const body = request.body.endpoint
      const row: EndpointRow = {
        id: newHexId(),
        service_id: await knownService(deps, body.service_id!),
        interface: body.interface!,
        region_id: (await ensureRegion(deps, body)) ?? null,
        url: checkedUrl(body.url!),
        enabled: body.enabled === false ? 0 : 1,
        extra: extraOf(body, own),
      }
      await insertEndpoint(deps.db, row)
      return { endpoint: endpointView(request.origin, row) }
    },
  },
  {
    patch: '/v3/endpoints/:endpoint_id',
    rule: 'identity:update_endpoint',
    body: { key: 'endpoint', schema: update(properties) },
    async handler(request: IdentityRequest<{ endpoint: EndpointBody }>, deps) {
      const row = await getEndpoint(deps.db, request.params['endpoint_id']!)
      const body = request.body.endpoint
      const regionId = await ensureRegion(deps, body)
      await updateEndpoint(deps.db, row.id, {
        ...(body.service_id === undefined ? {} : { service_id: await knownService(deps, body.service_id) }),
        ...(body.interface === undefined ? {} : { interface: body.interface }),
        ...(regionId === undefined ? {} : { region_id: regionId }),
        ...(body.url === undefined ? {} : { url: checkedUrl(body.url) }),
        ...(body.enabled === undefined ? {} : { enabled: body.enabled ? 1 : 0 }),
        extra: mergedExtra(row.extra, body, own),
      })
      return { endpoint: endpointView(request.origin, await getEndpoint(deps.db, row.id)) }
    },
  },
  {
    delete: '/v3/endpoints/:endpoint_id',
    rule: 'identity:delete_endpoint',
    async handler(request, deps) {
      const { id } = await getEndpoint(deps.db, request.params['endpoint_id']!)
      await removeEndpoint(deps.db, id)
    },
  },
]

async function knownService(deps: IdentityDeps, id: string): Promise<string> {
  return (await getService(deps.db, id)).id
}

/** `region` is what `region_id` was called in v2; a region that is not there yet is made. */
async function ensureRegion(deps: IdentityDeps, body: EndpointBody): Promise<string | undefined> {
  const id = body.region_id ?? body.region
  if (id === undefined || (await findRegion(deps.db, id)) !== undefined) return id
  await insertRegion(deps.db, { id, description: '', parent_region_id: null, extra: '{}' })
  return id
}

function checkedUrl(url: string): string {
  const named = [...url.matchAll(/[%$]\((\w*)\)(s?)/g)]
  if (named.every((match) => match[2] === 's' && placeholders.includes(match[1]!))) return url
  throw new Fault('invalid', `Cannot create an endpoint with an invalid URL: ${url}.`)
}
