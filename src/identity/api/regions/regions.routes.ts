import { Type } from 'typebox'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import {
  getRegion,
  insertRegion,
  listEndpoints,
  listRegions,
  type RegionRow,
  removeRegion,
  updateRegion,
} from '../../store/catalog.ts'
import { extraOf, mergedExtra, parseObject } from '../../store/extra.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { creation, Nullable, Text, update } from '../schemas.ts'

const properties = {
  id: Type.String({ maxLength: 255 }),
  description: Nullable(Text),
  parent_region_id: Nullable(Text),
}
const own = Object.keys(properties)

interface RegionBody {
  id?: string
  description?: string | null
  parent_region_id?: string | null
  [extra: string]: unknown
}

function regionView(origin: string, row: RegionRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    description: row.description,
    parent_region_id: row.parent_region_id,
    links: { self: `${origin}/v3/regions/${row.id}` },
  }
}

export const regionRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/regions',
    rule: 'identity:list_regions',
    async handler(request, deps) {
      const views = (await listRegions(deps.db)).map((row) => regionView(request.origin, row))
      return collection(request, 'regions', filtered(request, views, ['parent_region_id']))
    },
  },
  {
    get: '/v3/regions/:region_id',
    rule: 'identity:get_region',
    async handler(request, deps) {
      const row = await getRegion(deps.db, request.params['region_id']!)
      return { region: regionView(request.origin, row) }
    },
  },
  {
    post: '/v3/regions',
    rule: 'identity:create_region',
    body: { key: 'region', schema: creation(properties, []) },
    status: 201,
    handler: (request: IdentityRequest<{ region?: RegionBody }>, deps) =>
      create(request, deps, request.body.region ?? {}),
  },
  {
    put: '/v3/regions/:region_id',
    rule: 'identity:create_region',
    body: { key: 'region', schema: creation(properties, []) },
    status: 201,
    handler(request: IdentityRequest<{ region?: RegionBody }>, deps) {
      const id = request.params['region_id']!
      const body = request.body.region ?? {}
      if (body.id !== undefined && body.id !== id) {
        throw new Fault(
          'invalid',
          `Conflicting region IDs specified: "${id}" != "${body.id}". The one of the URL counts.`,
        )
      }
      return create(request, deps, { ...body, id })
    },
  },
  {
    patch: '/v3/regions/:region_id',
    rule: 'identity:update_region',
    body: { key: 'region', schema: update(properties) },
    async handler(request: IdentityRequest<{ region: RegionBody }>, deps) {
      const row = await getRegion(deps.db, request.params['region_id']!)
      const body = request.body.region
      if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change region ID')
      const { description, parent_region_id } = body
      if (parent_region_id !== undefined) await assertNoCircle(deps, row.id, parent_region_id)
      await updateRegion(deps.db, row.id, {
        ...(description === undefined ? {} : { description: description ?? '' }),
        ...(parent_region_id === undefined ? {} : { parent_region_id }),
        extra: mergedExtra(row.extra, body, own),
      })
      return { region: regionView(request.origin, await getRegion(deps.db, row.id)) }
    },
  },
  {
    delete: '/v3/regions/:region_id',
    rule: 'identity:delete_region',
    async handler(request, deps) {
      const { id } = await getRegion(deps.db, request.params['region_id']!)
      await remove(deps, id)
    },
  },
]

async function create(request: IdentityRequest, deps: IdentityDeps, body: RegionBody) {
  const parentId = body.parent_region_id ?? null
  if (parentId !== null) await getRegion(deps.db, parentId)
  const row: RegionRow = {
    id: body.id ?? newHexId(),
    description: body.description ?? '',
    parent_region_id: parentId,
    extra: extraOf(body, own),
  }
  await insertRegion(deps.db, row)
  return { region: regionView(request.origin, row) }
}

async function assertNoCircle(deps: IdentityDeps, id: string, parentId: string | null): Promise<void> {
  for (let above = parentId; above !== null; above = (await getRegion(deps.db, above)).parent_region_id) {
    if (above !== id) continue
    throw new Fault(
      'invalid',
      `The specified parent region ${parentId} would create a circular region hierarchy.`,
    )
  }
}

// Regions below go with it, unless something is served from any of them.
async function remove(deps: IdentityDeps, id: string): Promise<void> {
  await inTransaction(deps.db, async (transaction) => {
    const doomed = [id]
    for (const region of doomed) {
      if ((await listEndpoints(transaction, { regionId: region })).length > 0) {
        throw new Fault(
          'forbidden',
          `Unable to delete region ${id} because it or its child regions have associated endpoints.`,
        )
      }
      doomed.push(...(await listRegions(transaction, { parentId: region })).map((row) => row.id))
    }
    for (const region of doomed.reverse()) await removeRegion(transaction, region)
  })
}
