import type { TSchema } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault, isFault } from '../../../base/errors.ts'
import type { Microversion } from '../../../base/http/microversion.ts'
import { retryOnConflict } from '../../store/allocations.ts'
import { reshape } from '../../store/reshape.ts'
import { type ConsumerBody, reshapeAllocations, toWrite, uuidPattern } from '../allocations/allocation.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { type SetBody, setBody, withDefaults } from '../inventories/inventory.ts'

const bodies = new Map<Microversion, TSchema>()

function bodyAt(version: Microversion): TSchema {
  let body = bodies.get(version)
  if (body === undefined) {
    body = {
      type: 'object',
      properties: {
        inventories: {
          type: 'object',
          patternProperties: { [uuidPattern]: setBody },
          minProperties: 1,
          additionalProperties: false,
        },
        allocations: reshapeAllocations(version),
      },
      required: ['inventories', 'allocations'],
      additionalProperties: false,
    } as TSchema
    bodies.set(version, body)
  }
  return body
}

interface Body {
  inventories: Record<string, SetBody>
  allocations: Record<string, ConsumerBody>
}

export const reshaperRoutes: readonly PlacementRoute[] = [
  {
    post: '/reshaper',
    policy: 'placement:reshaper:reshape',
    since: '1.30',
    body: bodyAt,
    handler: reshapeProviders,
  },
]

async function reshapeProviders(request: Request<Body>, deps: PlacementDeps): Promise<undefined> {
  const changes = Object.entries(request.body.inventories).map(([providerUuid, given]) => ({
    providerUuid,
    generation: given.resource_provider_generation,
    inventories: new Map(
      Object.entries(given.inventories).map(([name, inventory]) => [name, withDefaults(inventory)]),
    ),
  }))
  const writes = Object.entries(request.body.allocations).map(([consumer, body]) =>
    toWrite(consumer, body, deps.settings),
  )
  try {
    await retryOnConflict(deps.settings.conflictAttempts, () =>
      inTransaction(deps.db, (transaction) => reshape(transaction, changes, writes)),
    )
  } catch (error) {
    // What the body names and is not there is the body's fault, not the address's.
    if (!isFault(error, 'not-found')) throw error
    throw new Fault('invalid', `malformed reshaper data: ${error.message}`, {}, error)
  }
}
