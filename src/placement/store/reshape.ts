import { Fault } from '../../base/errors.ts'
import { errorCodes } from '../error-codes.ts'
import { type ConsumerWrite, replaceAllocations } from './allocations.ts'
import { type Inventory, listInventories, setInventories } from './inventories.ts'
import { findProvider, getProvider } from './providers.ts'
import type { PlacementDb } from './tables.ts'

export interface ProviderInventories {
  providerUuid: string
  generation: number
  inventories: ReadonlyMap<string, Inventory>
}

/**
 * Moves inventories between providers together with what is allocated from them, all or none. An inventory that is to
 * go stays until the allocations have moved off it, and one that is to come is there before. Runs in a transaction.
 */
export async function reshape(
  db: PlacementDb,
  changes: readonly ProviderInventories[],
  writes: readonly ConsumerWrite[],
): Promise<void> {
  for (const change of changes) {
    const provider = await findProvider(db, change.providerUuid)
    if (provider === undefined) {
      throw new Fault(
        'invalid',
        `Resource provider ${change.providerUuid} in inventories not found: No resource provider with uuid ${change.providerUuid} found`,
        { code: errorCodes.providerNotFound },
      )
    }
    if (provider.generation !== change.generation) {
      throw new Fault(
        'conflict',
        `resource provider generation conflict for provider ${provider.uuid}: actual: ${provider.generation}, given: ${change.generation}`,
        { code: errorCodes.concurrentUpdate },
      )
    }
    if (change.inventories.size === 0) continue
    const union = new Map<string, Inventory>()
    for (const known of await listInventories(db, provider.id)) union.set(known.resourceClass, known)
    for (const [name, inventory] of change.inventories) union.set(name, inventory)
    await setInventories(db, provider, union)
  }
  await replaceAllocations(db, writes)
  for (const change of changes) {
    await setInventories(db, await getProvider(db, change.providerUuid), change.inventories)
  }
}
