import { inTransaction } from '../../../base/db/transaction.ts'
import { newUuid } from '../../../base/ids.ts'
import {
  deleteProvider,
  getProvider,
  insertProvider,
  type Provider,
  updateProvider,
} from '../../store/providers.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { dashed, setLocation, setModified } from '../request.ts'
import { listProviders } from './list.ts'
import { createBody, listQuery, type ProviderBody, updateBody } from './provider.ts'
import { providerView } from './provider.view.ts'

const prefix = 'placement:resource_providers'

export const providerRoutes: readonly PlacementRoute[] = [
  { get: '/resource_providers', policy: `${prefix}:list`, query: listQuery, handler: listProviders },
  { post: '/resource_providers', policy: `${prefix}:create`, body: createBody, handler: createProvider },
  { get: '/resource_providers/:uuid', policy: `${prefix}:show`, handler: showProvider },
  { put: '/resource_providers/:uuid', policy: `${prefix}:update`, body: updateBody, handler: changeProvider },
  { delete: '/resource_providers/:uuid', policy: `${prefix}:delete`, handler: removeProvider },
]

async function createProvider(request: Request<ProviderBody>, deps: PlacementDeps): Promise<unknown> {
  const { name, uuid, parent_provider_uuid: parentUuid } = request.body
  const provider = await inTransaction(deps.db, (transaction) =>
    insertProvider(transaction, {
      uuid: uuid === undefined ? newUuid() : dashed(uuid),
      name,
      parentUuid: parentUuid ?? null,
    }),
  )
  setLocation(request, `/resource_providers/${provider.uuid}`)
  if (request.atLeast('1.20')) {
    request.setStatus(200)
    return shown(request, provider)
  }
  request.setStatus(201)
  return undefined
}

async function showProvider(request: Request, deps: PlacementDeps): Promise<unknown> {
  return shown(request, await getProvider(deps.db, request.params['uuid']!))
}

async function changeProvider(request: Request<ProviderBody>, deps: PlacementDeps): Promise<unknown> {
  const { name, parent_provider_uuid: parentUuid } = request.body
  const provider = await inTransaction(deps.db, (transaction) =>
    updateProvider(
      transaction,
      request.params['uuid']!,
      parentUuid === undefined ? { name } : { name, parentUuid },
      { allowReparenting: request.atLeast('1.37') },
    ),
  )
  return shown(request, provider)
}

async function removeProvider(request: Request, deps: PlacementDeps): Promise<undefined> {
  await inTransaction(deps.db, (transaction) => deleteProvider(transaction, request.params['uuid']!))
}

function shown(request: Request, provider: Provider): unknown {
  setModified(request, [provider.updatedAt ?? provider.createdAt])
  return providerView(request, provider)
}
