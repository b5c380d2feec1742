import { Type } from 'typebox'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import {
  type EndpointFilters,
  type EndpointGroupRow,
  getEndpointGroup,
  insertEndpointGroup,
  listEndpointGroups,
  removeEndpointGroup,
  updateEndpointGroup,
} from '../../store/endpoint-filters.ts'
import { parseObject } from '../../store/extra.ts'
import { expecting } from '../../tokens/authenticate.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { creation, Name, Nullable, Text, update } from '../schemas.ts'

const properties = { name: Name, description: Nullable(Text), filters: Type.Unsafe({ type: 'object' }) }
const filterKeys = ['service_id', 'region_id', 'interface']

interface Body {
  name?: string
  description?: string | null
  filters?: EndpointFilters
}

const all = '/v3/OS-EP-FILTER/endpoint_groups'
const one = `${all}/:endpoint_group_id`

/** An endpoint group as answers show it. */
export function endpointGroupView(origin: string, row: EndpointGroupRow): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    filters: parseObject(row.filters),
    links: { self: `${origin}${all}/${row.id}` },
  }
}

export const endpointGroupRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: 'identity:list_endpoint_groups',
    async handler(request, deps) {
      const rows = await listEndpointGroups(deps.db)
      const views = rows.map((row) => endpointGroupView(request.origin, row))
      return collection(request, 'endpoint_groups', filtered(request, views, ['name']))
    },
  },
  {
    get: one,
    rule: 'identity:get_endpoint_group',
    async handler(request, deps) {
      const row = await getEndpointGroup(deps.db, request.params['endpoint_group_id']!)
      return { endpoint_group: endpointGroupView(request.origin, row) }
    },
  },
  {
    post: all,
    rule: 'identity:create_endpoint_group',
    body: { key: 'endpoint_group', schema: creation(properties, ['name', 'filters']) },
    status: 201,
    async handler(request: IdentityRequest<{ endpoint_group: Body }>, deps) {
      const { name, description, filters } = request.body.endpoint_group
      const row: EndpointGroupRow = {
        id: newHexId(),
        name: name!,
        description: description ?? null,
        filters: checkedFilters(filters!),
      }
      await insertEndpointGroup(deps.db, row)
      return { endpoint_group: endpointGroupView(request.origin, row) }
    },
  },
  {
    patch: one,
    rule: 'identity:update_endpoint_group',
    body: { key: 'endpoint_group', schema: update(properties) },
    async handler(request: IdentityRequest<{ endpoint_group: Body }>, deps) {
      const { id } = await getEndpointGroup(deps.db, request.params['endpoint_group_id']!)
      const { name, description, filters } = request.body.endpoint_group
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(filters === undefined ? {} : { filters: checkedFilters(filters) }),
      }
      if (Object.keys(change).length > 0) await updateEndpointGroup(deps.db, id, change)
      return { endpoint_group: endpointGroupView(request.origin, await getEndpointGroup(deps.db, id)) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_endpoint_group',
    async handler(request, deps) {
      const { id } = await getEndpointGroup(deps.db, request.params['endpoint_group_id']!)
      await removeEndpointGroup(deps.db, id)
    },
  },
]

function checkedFilters(filters: EndpointFilters): string {
  const keys = Object.keys(filters)
  if (keys.length === 0) throw new Fault('invalid', 'filters field is required and cannot be empty')
  if (keys.some((key) => !filterKeys.includes(key)))
    throw expecting(filterKeys.join(' or '), 'endpoint_group')
  return JSON.stringify(filters)
}
