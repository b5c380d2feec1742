/** The bodies of inventories, and what must hold between their fields. */
import { Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import { capacityOf, type Inventory, inventoryDefaults } from '../../store/inventories.ts'
import type { Request } from '../deps.ts'

const maxInt = 2_147_483_647
const strict = { additionalProperties: false }

const Positive = Type.Integer({ minimum: 1, maximum: maxInt })
const Generation = Type.Integer()

export const resourceClassPattern = '^[A-Z0-9_]+$'

const fields = {
  total: Positive,
  reserved: Type.Optional(Type.Integer({ minimum: 0, maximum: maxInt })),
  min_unit: Type.Optional(Positive),
  max_unit: Type.Optional(Positive),
  step_size: Type.Optional(Positive),
  allocation_ratio: Type.Optional(Type.Number({ maximum: 3.402_82e38 })),
}

export const createBody = Type.Object(
  {
    ...fields,
    resource_provider_generation: Type.Optional(Generation),
    resource_class: Type.String({ pattern: resourceClassPattern }),
  },
  strict,
)
export const updateBody = Type.Object({ ...fields, resource_provider_generation: Generation }, strict)
const inventory = Type.Object({ ...fields, resource_provider_generation: Type.Optional(Generation) }, strict)
export const setBody = Type.Object(
  {
    resource_provider_generation: Generation,
    inventories: Type.Unsafe({
      type: 'object',
      patternProperties: { [resourceClassPattern]: inventory },
      additionalProperties: false,
    }),
  },
  strict,
)

export type InventoryFields = Pick<Inventory, 'total'> & Partial<Inventory>
export type UpdateBody = InventoryFields & { resource_provider_generation: number }
export type CreateBody = InventoryFields & { resource_class: string }
export interface SetBody {
  resource_provider_generation: number
  inventories: Record<string, InventoryFields>
}

/** A whole inventory from a body. */
export const withDefaults = (given: InventoryFields): Inventory => ({
  total: given.total,
  reserved: given.reserved ?? inventoryDefaults.reserved,
  min_unit: given.min_unit ?? inventoryDefaults.min_unit,
  max_unit: given.max_unit ?? inventoryDefaults.max_unit,
  step_size: given.step_size ?? inventoryDefaults.step_size,
  allocation_ratio: given.allocation_ratio ?? inventoryDefaults.allocation_ratio,
})

/** Something must be left for allocations; since 1.26 all may be reserved. */
export function assertCapacity(
  request: Request,
  providerUuid: string,
  inventories: ReadonlyMap<string, Inventory>,
  action: 'create' | 'update' = 'update',
): void {
  const mayBeAll = request.atLeast('1.26')
  for (const [name, inventory] of inventories) {
    const capacity = capacityOf(inventory)
    if (capacity > 0 || (capacity === 0 && mayBeAll)) continue
    throw new Fault(
      'invalid',
      `Unable to ${action} inventory for resource provider ${providerUuid}: Invalid inventory for '${name}' on resource provider '${providerUuid}'. The reserved value is greater than ${mayBeAll ? '' : 'or equal to '}total.`,
    )
  }
}
