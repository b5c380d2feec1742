import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { errorCodes } from '../../error-codes.ts'
import { getProvider } from '../../store/providers.ts'
import { listProviderTraits, listTraits, setProviderTraits } from '../../store/traits.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { traitsView } from './trait.view.ts'

const since = '1.6'
const path = '/resource_providers/:uuid/traits'
const prefix = 'placement:resource_providers:traits'
const setBody = Type.Object(
  {
    traits: Type.Array(Type.String({ minLength: 1, maxLength: 255 })),
    resource_provider_generation: Type.Integer(),
  },
  { additionalProperties: false },
)

interface Body {
  traits: string[]
  resource_provider_generation: number
}

export const providerTraitRoutes: readonly PlacementRoute[] = [
  { get: path, policy: `${prefix}:list`, since, handler: list },
  { put: path, policy: `${prefix}:update`, since, body: setBody, handler: set },
  { delete: path, policy: `${prefix}:delete`, since, handler: clear },
]

async function list(request: Request, deps: PlacementDeps): Promise<unknown> {
  const provider = await getProvider(deps.db, request.params['uuid']!)
  const traits = await listProviderTraits(deps.db, provider.id)
  return { ...traitsView(request, traits), resource_provider_generation: provider.generation }
}

async function set(request: Request<Body>, deps: PlacementDeps): Promise<unknown> {
  const names = new Set(request.body.traits)
  return await inTransaction(deps.db, async (transaction) => {
    const provider = await getProvider(transaction, request.params['uuid']!)
    if (provider.generation !== request.body.resource_provider_generation) {
      throw new Fault(
        'conflict',
        "Resource provider's generation already changed. Please update the generation and try again.",
        { code: errorCodes.concurrentUpdate },
      )
    }
    const traits = names.size === 0 ? [] : await listTraits(transaction, { names: [...names] })
    const unknown = names.difference(new Set(traits.map((trait) => trait.name)))
    if (unknown.size > 0) throw new Fault('invalid', `No such trait ${[...unknown].join(', ')}`)
    await setProviderTraits(transaction, provider, traits)
    return { ...traitsView(request, traits), resource_provider_generation: provider.generation }
  })
}

async function clear(request: Request, deps: PlacementDeps): Promise<undefined> {
  await inTransaction(deps.db, async (transaction) => {
    const provider = await getProvider(transaction, request.params['uuid']!)
    await setProviderTraits(transaction, provider, [])
  })
}
