import { type TSchema, Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { deleteExtraSpec, getFlavor, setExtraSpecs } from '../../store/flavors.ts'
import type { ApiDbDeps } from '../deps.ts'
import { checkExtraSpec } from './extra-spec-rules.ts'
import { visibleFlavor } from './flavors.routes.ts'

type Specs = Record<string, string | number>

const SpecMap = (limits: object): TSchema =>
  Type.Unsafe<Specs>({
    type: 'object',
    patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: ['string', 'number'], maxLength: 255 } },
    additionalProperties: false,
    ...limits,
  })

const path = '/flavors/:id/os-extra_specs'

export const extraSpecRoutes: readonly Route<ApiDbDeps>[] = [
  { get: path, policy: 'os_compute_api:os-flavor-extra-specs:index', handler: listSpecs },
  {
    post: path,
    policy: 'os_compute_api:os-flavor-extra-specs:create',
    body: Type.Object({ extra_specs: SpecMap({}) }, { additionalProperties: false }),
    handler: createSpecs,
  },
  { get: `${path}/:key`, policy: 'os_compute_api:os-flavor-extra-specs:show', handler: showSpec },
  {
    put: `${path}/:key`,
    policy: 'os_compute_api:os-flavor-extra-specs:update',
    body: SpecMap({ minProperties: 1, maxProperties: 1 }),
    handler: updateSpec,
  },
  {
    delete: `${path}/:key`,
    policy: 'os_compute_api:os-flavor-extra-specs:delete',
    status: 200,
    handler: deleteSpec,
  },
]

async function listSpecs(request: ApiRequest<never>, deps: ApiDbDeps) {
  return { extra_specs: (await visibleFlavor(request, deps)).extra_specs }
}

async function showSpec(request: ApiRequest<never>, deps: ApiDbDeps) {
  const flavor = await visibleFlavor(request, deps)
  const key = request.params['key']!
  const value = flavor.extra_specs[key]
  if (value !== undefined) return { [key]: value }
  throw new Fault('not-found', `Flavor ${flavor.flavorid} has no extra specs with key ${key}.`)
}

async function createSpecs(request: ApiRequest<{ extra_specs: Specs }>, deps: ApiDbDeps) {
  await save(request as ApiRequest<never>, deps, request.body.extra_specs)
  return request.body
}

async function updateSpec(request: ApiRequest<Specs>, deps: ApiDbDeps) {
  if (!(request.params['key']! in request.body)) {
    throw new Fault('invalid', 'Request body and URI mismatch')
  }
  await save(request as ApiRequest<never>, deps, request.body)
  return request.body
}

async function save(request: ApiRequest<never>, deps: ApiDbDeps, specs: Specs) {
  const texts = Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, String(value)]))
  if (request.atLeast('2.86')) for (const [key, value] of Object.entries(texts)) checkExtraSpec(key, value)
  await inTransaction(deps.apiDb, async (transaction) => {
    await setExtraSpecs(transaction, await getFlavor(transaction, request.params['id']!), texts)
  })
}

async function deleteSpec(request: ApiRequest<never>, deps: ApiDbDeps) {
  const flavor = await getFlavor(deps.apiDb, request.params['id']!)
  await deleteExtraSpec(deps.apiDb, flavor, request.params['key']!)
}
