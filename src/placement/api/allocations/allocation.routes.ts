import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { isUuid } from '../../../base/ids.ts'
import {
  type ConsumerWrite,
  deleteAllocations,
  findConsumerAllocations,
  listProviderAllocations,
  replaceAllocations,
  retryOnConflict,
} from '../../store/allocations.ts'
import { getProvider } from '../../store/providers.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { dashed, setModified } from '../request.ts'
import { type ConsumerBody, postBody, putBody, toWrite } from './allocation.ts'

const one = '/allocations/:consumer'

export const allocationRoutes: readonly PlacementRoute[] = [
  {
    post: '/allocations',
    policy: 'placement:allocations:manage',
    since: '1.13',
    body: postBody,
    handler: setMany,
  },
  { get: one, policy: 'placement:allocations:list', handler: show },
  { put: one, policy: 'placement:allocations:update', body: putBody, handler: set },
  { delete: one, policy: 'placement:allocations:delete', handler: remove },
  {
    get: '/resource_providers/:uuid/allocations',
    policy: 'placement:resource_providers:allocations:list',
    handler: listOfProvider,
  },
]

async function set(request: Request<ConsumerBody>, deps: PlacementDeps): Promise<undefined> {
  const consumer = request.params['consumer']!
  if (!isUuid(consumer)) throw new Fault('invalid', `Malformed consumer_uuid: ${consumer}`)
  await write(deps, [toWrite(dashed(consumer), request.body, deps.settings)])
}

async function setMany(
  request: Request<Record<string, ConsumerBody>>,
  deps: PlacementDeps,
): Promise<undefined> {
  const writes = Object.entries(request.body).map(([consumer, body]) =>
    toWrite(consumer, body, deps.settings),
  )
  await write(deps, writes)
}

async function write(deps: PlacementDeps, writes: readonly ConsumerWrite[]): Promise<void> {
  await retryOnConflict(deps.settings.conflictAttempts, () =>
    inTransaction(deps.db, (transaction) => replaceAllocations(transaction, writes)),
  )
}

async function remove(request: Request, deps: PlacementDeps): Promise<undefined> {
  await inTransaction(deps.db, (transaction) => deleteAllocations(transaction, request.params['consumer']!))
}

async function show(request: Request, deps: PlacementDeps): Promise<unknown> {
  const held = await findConsumerAllocations(deps.db, request.params['consumer']!)
  setModified(request, [held?.modifiedAt])
  if (held === undefined) return { allocations: {} }
  const view: Record<string, unknown> = { allocations: Object.fromEntries(held.providers) }
  if (request.atLeast('1.12')) Object.assign(view, { project_id: held.projectId, user_id: held.userId })
  if (request.atLeast('1.28')) view['consumer_generation'] = held.generation
  if (request.atLeast('1.38')) view['consumer_type'] = held.type
  return view
}

async function listOfProvider(request: Request, deps: PlacementDeps): Promise<unknown> {
  const provider = await getProvider(deps.db, request.params['uuid']!)
  const { consumers, modifiedAt } = await listProviderAllocations(deps.db, provider.id)
  setModified(request, [modifiedAt])
  const withGeneration = request.atLeast('1.28')
  const allocations = [...consumers].map(([uuid, { resources, consumerGeneration }]) => [
    uuid,
    withGeneration ? { resources, consumer_generation: consumerGeneration } : { resources },
  ])
  return {
    allocations: Object.fromEntries(allocations),
    resource_provider_generation: provider.generation,
  }
}
