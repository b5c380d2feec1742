/** Whether what consumers want fits into what providers have. */
import { sql } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import { isOneWriter } from '../../base/db/turns.ts'
import { Fault } from '../../base/errors.ts'
import { noSuchClass } from './resource-classes.ts'
import type { PlacementDb } from './tables.ts'

/** Resource class → amount. */
export type Amounts = Readonly<Record<string, number>>

export interface Wanted {
  providerUuid: string
  resources: Amounts
}

export interface ProviderCapacity {
  id: number
  uuid: string
  generation: number
  /** By the name of the resource class. */
  inventories: Map<string, ClassCapacity>
}

interface ClassCapacity {
  classId: number
  total: number
  reserved: number
  allocationRatio: number
  minUnit: number
  maxUnit: number
  stepSize: number
  used: number
}

const readProvider = statement((db: PlacementDb, p: { uuid: string }) =>
  db
    .selectFrom('resource_providers as p')
    .leftJoin('inventories as i', 'i.resource_provider_id', 'p.id')
    .leftJoin('resource_classes as c', 'c.id', 'i.resource_class_id')
    .select(['p.id', 'p.uuid', 'p.generation', 'c.name', 'i.resource_class_id as classId'])
    .select(['i.total', 'i.reserved', 'i.allocation_ratio', 'i.min_unit', 'i.max_unit', 'i.step_size'])
    .select((eb) =>
      eb
        .selectFrom('allocations as a')
        .select(sql<number | null>`sum(a.used)`.as('used'))
        .whereRef('a.resource_provider_id', '=', 'p.id')
        .whereRef('a.resource_class_id', '=', 'i.resource_class_id')
        .as('used'),
    )
    .where('p.uuid', '=', p.uuid),
)

const lockProvider = statement((db: PlacementDb, p: { uuid: string }) =>
  db.selectFrom('resource_providers').select('id').where('uuid', '=', p.uuid).forUpdate(),
)

/**
 * Keeps others from changing these providers until the transaction ends: without it two that insert allocations at one
 * provider would each hold a share of its row, for the foreign key, and wait for the other's to raise its generation.
 */
async function lockProviders(db: PlacementDb, uuids: readonly string[]): Promise<void> {
  if (isOneWriter(db)) return
  for (const uuid of uuids.toSorted()) await lockProvider(db, { uuid })
}

/**
 * The providers by uuid with what is free in them; a provider that is not there is `invalid`. In a transaction, they
 * stay as they are until it ends.
 */
export async function readCapacity(
  db: PlacementDb,
  uuids: readonly string[],
): Promise<Map<string, ProviderCapacity>> {
  await lockProviders(db, uuids)
  const providers = new Map<string, ProviderCapacity>()
  for (const uuid of uuids) {
    const { rows } = await readProvider(db, { uuid })
    const [first] = rows
    if (first === undefined)
      throw new Fault('invalid', `Allocation for resource provider '${uuid}' that does not exist.`)
    const inventories = new Map<string, ClassCapacity>()
    for (const row of rows) {
      if (row.name === null) continue
      inventories.set(row.name, {
        classId: row.classId!,
        total: row.total!,
        reserved: row.reserved!,
        allocationRatio: row.allocation_ratio!,
        minUnit: row.min_unit!,
        maxUnit: row.max_unit!,
        stepSize: row.step_size!,
        used: Number(row.used ?? 0),
      })
    }
    providers.set(uuid, { id: first.id, uuid, generation: first.generation, inventories })
  }
  return providers
}

/** Takes the amounts one after another from the capacities; throws a conflict at the first that does not fit. */
export async function takeCapacity(
  db: PlacementDb,
  providers: ReadonlyMap<string, ProviderCapacity>,
  wanted: readonly Wanted[],
): Promise<void> {
  for (const { providerUuid, resources } of wanted) {
    const provider = providers.get(providerUuid)!
    for (const [name, amount] of Object.entries(resources)) {
      const inventory = provider.inventories.get(name)
      if (inventory === undefined) throw await withoutInventory(db, name, providerUuid)
      const { minUnit, maxUnit, stepSize } = inventory
      if (amount < minUnit || amount > maxUnit || amount % stepSize !== 0)
        throw refuse(name, providerUuid, 'violate inventory constraints')
      const capacity = (inventory.total - inventory.reserved) * inventory.allocationRatio
      if (inventory.used + amount > capacity) throw refuse(name, providerUuid, 'exceed the capacity')
      inventory.used += amount
    }
  }
}

const refuse = (name: string, uuid: string, what: string): Fault =>
  new Fault(
    'conflict',
    `Unable to allocate inventory: Unable to create allocation for '${name}' on resource provider '${uuid}'. The requested amount would ${what}.`,
    { resourceClass: name, provider: uuid },
  )

async function withoutInventory(db: PlacementDb, name: string, uuid: string): Promise<Fault> {
  const known = await db
    .selectFrom('resource_classes')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst()
  if (known === undefined)
    return new Fault('invalid', `Unable to allocate inventory for consumer: ${noSuchClass(name).message}`)
  return new Fault(
    'conflict',
    `Unable to allocate inventory: Inventory for '${name}' on resource provider '${uuid}' invalid.`,
    { resourceClass: name, provider: uuid },
  )
}
