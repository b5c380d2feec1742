/** What makes a provider fit a request. */
import { Fault } from '../../base/errors.ts'
import type { Providers, SnapshotInventory, SnapshotProvider } from './snapshot.ts'

export interface TraitFilter {
  /** One of each set must be there. */
  required: readonly ReadonlySet<string>[]
  forbidden: ReadonlySet<string>
}

export interface AggregateFilter {
  /** The provider must be in one of each set. */
  required: readonly ReadonlySet<string>[]
  forbidden: ReadonlySet<string>
}

/** Resource class → amount. */
export type Resources = ReadonlyMap<string, number>

/** True when the amount can be allocated from the inventory now. */
export function fits(inventory: SnapshotInventory | undefined, amount: number): boolean {
  if (inventory === undefined) return false
  const { total, reserved, allocationRatio, used, minUnit, maxUnit, stepSize } = inventory
  if (amount < minUnit || amount > maxUnit || amount % stepSize !== 0) return false
  return used + amount <= (total - reserved) * allocationRatio
}

export function hasResources(provider: SnapshotProvider, resources: Resources): boolean {
  for (const [name, amount] of resources) if (!fits(provider.inventories.get(name), amount)) return false
  return true
}

export const hasRequired = (held: ReadonlySet<string>, required: readonly ReadonlySet<string>[]): boolean =>
  required.every((any) => !any.isDisjointFrom(held))

/** True when the traits or aggregates held satisfy the filter. */
export const satisfies = (held: ReadonlySet<string>, filter: TraitFilter | AggregateFilter): boolean =>
  hasRequired(held, filter.required) && (filter.forbidden.size === 0 || filter.forbidden.isDisjointFrom(held))

/** Throws `invalid` for a resource class that does not exist. */
export function assertResourceClasses(providers: Providers, resources: Resources): void {
  for (const name of resources.keys()) {
    if (providers.resourceClasses.has(name)) continue
    throw new Fault(
      'invalid',
      `Invalid resource class in resources parameter: No such resource class ${name}.`,
    )
  }
}

/** Throws `invalid` for a trait that does not exist. */
export function assertTraits(providers: Providers, filter: TraitFilter, prefix = ''): void {
  for (const names of [...filter.required, filter.forbidden]) {
    for (const name of names) {
      if (!providers.traits.has(name)) throw new Fault('invalid', `${prefix}No such trait(s): ${name}.`)
    }
  }
}
