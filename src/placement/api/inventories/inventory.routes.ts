import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault, isFault } from '../../../base/errors.ts'
import { errorCodes } from '../../error-codes.ts'
import {
  addInventory,
  deleteInventory,
  type Inventory,
  listInventories,
  type StoredInventory,
  setInventories,
  updateInventory,
} from '../../store/inventories.ts'
import { getProvider, type Provider } from '../../store/providers.ts'
import type { PlacementDb } from '../../store/tables.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { setLocation, setModified } from '../request.ts'
import {
  assertCapacity,
  type CreateBody,
  createBody,
  type SetBody,
  setBody,
  type UpdateBody,
  updateBody,
  withDefaults,
} from './inventory.ts'

declare global {
  interface JSON {
    /** Puts a text into JSON as it is; V8 has it, TypeScript does not know it yet. */
    rawJSON(text: string): unknown
  }
}

const prefix = 'placement:resource_providers:inventories'
const all = '/resource_providers/:uuid/inventories'
const one = `${all}/:resourceClass`

export const inventoryRoutes: readonly PlacementRoute[] = [
  { get: all, policy: `${prefix}:list`, handler: listAll },
  { post: all, policy: `${prefix}:create`, body: createBody, status: 201, handler: create },
  { put: all, policy: `${prefix}:update`, body: setBody, handler: setAll },
  { delete: all, policy: `${prefix}:delete`, handler: deleteAll },
  { get: one, policy: `${prefix}:show`, handler: show },
  { put: one, policy: `${prefix}:update`, body: updateBody, handler: update },
  { delete: one, policy: `${prefix}:delete`, handler: remove },
]

async function listAll(request: Request, deps: PlacementDeps): Promise<unknown> {
  const provider = await getProvider(deps.db, request.params['uuid']!)
  const inventories = await listInventories(deps.db, provider.id)
  setModified(
    request,
    inventories.map((inventory) => inventory.updatedAt ?? inventory.createdAt),
  )
  return allView(provider.generation, new Map(inventories.map((row) => [row.resourceClass, row])))
}

async function create(request: Request<CreateBody>, deps: PlacementDeps): Promise<unknown> {
  const name = request.body.resource_class
  const inventory = withDefaults(request.body)
  const provider = await write(request, deps, async (db, found) => {
    assertCapacity(request, found.uuid, new Map([[name, inventory]]), 'create')
    await asInvalid('Unable to create inventory for', found, addInventory(db, found, name, inventory))
  })
  setLocation(request, `/resource_providers/${provider.uuid}/inventories/${name}`)
  setModified(request)
  return oneView(provider.generation, inventory)
}

async function setAll(request: Request<SetBody>, deps: PlacementDeps): Promise<unknown> {
  const inventories = new Map(
    Object.entries(request.body.inventories).map(([name, given]) => [name, withDefaults(given)]),
  )
  const provider = await write(request, deps, async (db, found) => {
    assertGeneration(found, request.body.resource_provider_generation)
    assertCapacity(request, found.uuid, inventories)
    const setting = setInventories(db, found, inventories)
    await asInvalid('Unknown resource class in inventory for', found, setting)
  })
  setModified(request)
  return allView(provider.generation, inventories)
}

async function deleteAll(request: Request, deps: PlacementDeps): Promise<undefined> {
  if (!request.atLeast('1.5')) {
    request.setHeader('allow', 'GET, POST, PUT')
    throw new Fault('method-not-allowed', 'The method specified is not allowed for this resource.')
  }
  await write(request, deps, (db, provider) => setInventories(db, provider, new Map()))
}

async function show(request: Request, deps: PlacementDeps): Promise<unknown> {
  const provider = await getProvider(deps.db, request.params['uuid']!)
  const name = request.params['resourceClass']!
  const inventories = await listInventories(deps.db, provider.id)
  const inventory = inventories.find((row) => row.resourceClass === name)
  if (inventory === undefined)
    throw new Fault('not-found', `No inventory of class ${name} for ${provider.uuid}`)
  setModified(request, [inventory.updatedAt ?? inventory.createdAt])
  return oneView(provider.generation, inventory)
}

async function update(request: Request<UpdateBody>, deps: PlacementDeps): Promise<unknown> {
  const name = request.params['resourceClass']!
  const inventory = withDefaults(request.body)
  const provider = await write(request, deps, async (db, found) => {
    assertGeneration(found, request.body.resource_provider_generation)
    assertCapacity(request, found.uuid, new Map([[name, inventory]]))
    await updateInventory(db, found, name, inventory)
  })
  setModified(request)
  return oneView(provider.generation, inventory)
}

async function remove(request: Request, deps: PlacementDeps): Promise<undefined> {
  const name = request.params['resourceClass']!
  await write(request, deps, async (db, provider) => {
    try {
      await deleteInventory(db, provider, name)
    } catch (error) {
      if (!isFault(error)) throw error
      const what = error.kind === 'not-found' ? `No inventory of class ${name} found for delete` : undefined
      const message = `${what ?? `Unable to delete inventory of class ${name}`}: ${error.message}`
      // A single inventory in use has always had the code of a conflict here.
      const details = error.kind === 'conflict' ? { code: errorCodes.concurrentUpdate } : {}
      throw new Fault(error.kind, message, details, error)
    }
  })
}

async function write(
  request: Request,
  deps: PlacementDeps,
  change: (db: PlacementDb, provider: Provider) => Promise<void>,
): Promise<Provider> {
  return await inTransaction(deps.db, async (transaction) => {
    const provider = await getProvider(transaction, request.params['uuid']!)
    await change(transaction, provider)
    return provider
  })
}

function assertGeneration(provider: Provider, believed: number): void {
  if (provider.generation === believed) return
  throw new Fault('conflict', 'resource provider generation conflict', { code: errorCodes.concurrentUpdate })
}

// A class in a body that does not exist is the body's fault, not the address's.
async function asInvalid(what: string, provider: Provider, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isFault(error, 'not-found')) throw error
    throw new Fault('invalid', `${what} resource provider ${provider.uuid}: ${error.message}`, {}, error)
  })
}

// A ratio is shown as the decimal number it is: clients print what they get.
const decimal = (ratio: number): unknown => (Number.isSafeInteger(ratio) ? JSON.rawJSON(`${ratio}.0`) : ratio)

const fieldsOf = (inventory: Inventory | StoredInventory): object => ({
  total: inventory.total,
  reserved: inventory.reserved,
  min_unit: inventory.min_unit,
  max_unit: inventory.max_unit,
  step_size: inventory.step_size,
  allocation_ratio: decimal(inventory.allocation_ratio),
})

const oneView = (generation: number, inventory: Inventory): unknown => ({
  ...fieldsOf(inventory),
  resource_provider_generation: generation,
})

const allView = (generation: number, inventories: ReadonlyMap<string, Inventory>): unknown => ({
  resource_provider_generation: generation,
  inventories: Object.fromEntries([...inventories].map(([name, row]) => [name, fieldsOf(row)])),
})
