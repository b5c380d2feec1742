import { type TSchema, Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import { errorCodes } from '../../error-codes.ts'
import { listAggregates, setAggregates } from '../../store/aggregates.ts'
import { getProvider, type Provider } from '../../store/providers.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { setModified } from '../request.ts'

const withGeneration = parseVersion('1.19')
const Uuids = Type.Array(Type.String({ format: 'uuid' }), { uniqueItems: true })
const setBody = Type.Object(
  { aggregates: Uuids, resource_provider_generation: Type.Integer() },
  { additionalProperties: false },
)
const bodyAt = (version: Microversion): TSchema => (version >= withGeneration ? setBody : Uuids)

type Body = string[] | { aggregates: string[]; resource_provider_generation: number }

const path = '/resource_providers/:uuid/aggregates'
const prefix = 'placement:resource_providers:aggregates'

export const aggregateRoutes: readonly PlacementRoute[] = [
  { get: path, policy: `${prefix}:list`, since: '1.1', handler: list },
  { put: path, policy: `${prefix}:update`, since: '1.1', body: bodyAt, handler: set },
]

async function list(request: Request, deps: PlacementDeps): Promise<unknown> {
  const provider = await getProvider(deps.db, request.params['uuid']!)
  return view(request, provider, await listAggregates(deps.db, provider.id))
}

async function set(request: Request<Body>, deps: PlacementDeps): Promise<unknown> {
  const { body } = request
  const aggregates = Array.isArray(body) ? body : body.aggregates
  const provider = await inTransaction(deps.db, async (transaction) => {
    const found = await getProvider(transaction, request.params['uuid']!)
    if (!Array.isArray(body) && body.resource_provider_generation !== found.generation) {
      throw new Fault(
        'conflict',
        "Resource provider's generation already changed. Please update the generation and try again.",
        { code: errorCodes.concurrentUpdate },
      )
    }
    await setAggregates(transaction, found, aggregates, { bump: !Array.isArray(body) })
    return found
  })
  return view(request, provider, aggregates)
}

function view(request: Request, provider: Provider, aggregates: readonly string[]): unknown {
  setModified(request)
  return request.atLeast('1.19')
    ? { aggregates, resource_provider_generation: provider.generation }
    : { aggregates }
}
