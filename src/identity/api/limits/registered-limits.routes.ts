import { Type } from 'typebox'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { findRegion, getService } from '../../store/catalog.ts'
import {
  getRegisteredLimit,
  insertRegisteredLimit,
  listLimits,
  listRegisteredLimits,
  type RegisteredLimitRow,
  removeRegisteredLimit,
  updateRegisteredLimit,
} from '../../store/limits.ts'
import { collection, filtered } from '../collection.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { Id, Nullable, Text } from '../schemas.ts'

/** The largest number of a limit. */
export const Amount = Type.Integer({ minimum: -1, maximum: 0x7fffffff })
export const ResourceName = Type.String({ minLength: 1, maxLength: 255 })

const properties = {
  service_id: Id,
  region_id: Nullable(Text),
  resource_name: ResourceName,
  default_limit: Amount,
  description: Nullable(Text),
}
const creations = Type.Array(
  Type.Unsafe({
    type: 'object',
    properties,
    required: ['service_id', 'resource_name', 'default_limit'],
    additionalProperties: false,
  }),
  { minItems: 1 },
)

type Body = Partial<Omit<RegisteredLimitRow, 'id'>>

const one = '/v3/registered_limits/:registered_limit_id'

function registeredView(origin: string, row: RegisteredLimitRow): Record<string, unknown> {
  return { ...row, links: { self: `${origin}/v3/registered_limits/${row.id}` } }
}

export const registeredLimitRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/registered_limits',
    rule: 'identity:list_registered_limits',
    async handler(request, deps) {
      const views = (await listRegisteredLimits(deps.db)).map((row) => registeredView(request.origin, row))
      const attributes = ['service_id', 'region_id', 'resource_name']
      return collection(request, 'registered_limits', filtered(request, views, attributes))
    },
  },
  {
    get: one,
    rule: 'identity:get_registered_limit',
    async handler(request, deps) {
      const row = await getRegisteredLimit(deps.db, request.params['registered_limit_id']!)
      return { registered_limit: registeredView(request.origin, row) }
    },
  },
  {
    post: '/v3/registered_limits',
    rule: 'identity:create_registered_limits',
    body: { key: 'registered_limits', schema: creations },
    status: 201,
    leavesTokens: true,
    async handler(
      request: IdentityRequest<{
        registered_limits: (Body & { service_id: string; resource_name: string; default_limit: number })[]
      }>,
      deps,
    ) {
      const rows = request.body.registered_limits.map(
        (wanted): RegisteredLimitRow => ({
          region_id: null,
          description: null,
          ...wanted,
          id: newHexId(),
        }),
      )
      for (const row of rows) await assertPlace(deps, row)
      await inTransaction(deps.db, async (transaction) => {
        for (const row of rows) await insertRegisteredLimit(transaction, row)
      })
      return { registered_limits: rows.map((row) => registeredView(request.origin, row)) }
    },
  },
  {
    patch: one,
    rule: 'identity:update_registered_limit',
    body: {
      key: 'registered_limit',
      schema: Type.Unsafe({ type: 'object', properties, additionalProperties: false }),
    },
    leavesTokens: true,
    async handler(request: IdentityRequest<{ registered_limit?: Body }>, deps) {
      const row = await getRegisteredLimit(deps.db, request.params['registered_limit_id']!)
      const change = request.body.registered_limit ?? {}
      const moves = ['service_id', 'region_id', 'resource_name'].some((key) => key in change)
      if (moves) await assertUnused(deps, row.id)
      await assertPlace(deps, change)
      await inTransaction(deps.db, async (transaction) => {
        if (Object.keys(change).length > 0) await updateRegisteredLimit(transaction, row.id, change)
      })
      const changed = await getRegisteredLimit(deps.db, row.id)
      return { registered_limit: registeredView(request.origin, changed) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_registered_limit',
    leavesTokens: true,
    async handler(request, deps) {
      const { id } = await getRegisteredLimit(deps.db, request.params['registered_limit_id']!)
      await assertUnused(deps, id)
      await removeRegisteredLimit(deps.db, id)
    },
  },
]

/** The service and region that a limit names are there. */
export async function assertPlace(
  deps: IdentityDeps,
  place: { service_id?: string; region_id?: string | null },
): Promise<void> {
  if (place.service_id !== undefined) {
    await getService(deps.db, place.service_id).catch((error: unknown) => {
      throw error instanceof Fault ? new Fault('invalid', error.message) : error
    })
  }
  if (place.region_id == null || (await findRegion(deps.db, place.region_id)) !== undefined) return
  throw new Fault('invalid', `Could not find region: ${place.region_id}.`)
}

async function assertUnused(deps: IdentityDeps, id: string): Promise<void> {
  if ((await listLimits(deps.db, { registeredLimitId: id })).length === 0) return
  throw new Fault(
    'forbidden',
    `Unable to update or delete registered limit ${id} because there are project limits associated with it.`,
  )
}
