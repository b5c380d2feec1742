/** The tables of placement's database, named as OpenStack names them. */
import type { Generated, Kysely } from 'kysely'
import type { Db } from '../../base/db/database.ts'

interface Stamps {
  created_at: string
  updated_at: string | null
}

export interface ProviderRow extends Stamps {
  id: Generated<number>
  uuid: string
  name: string
  generation: number
  /** Itself for the root of a tree; null only while it is being inserted. */
  root_provider_id: number | null
  parent_provider_id: number | null
  /** `provider_changes.version` at the last change of the provider or of anything that hangs on it. */
  revision: number
}

export interface InventoryRow extends Stamps {
  id: Generated<number>
  resource_provider_id: number
  resource_class_id: number
  total: number
  reserved: number
  min_unit: number
  max_unit: number
  step_size: number
  allocation_ratio: number
}

export interface AllocationRow extends Stamps {
  id: Generated<number>
  resource_provider_id: number
  resource_class_id: number
  /** The consumer's uuid. */
  consumer_id: string
  used: number
}

export interface ConsumerRow extends Stamps {
  id: Generated<number>
  uuid: string
  project_id: number
  user_id: number
  generation: number
  /** Null for a consumer written before microversion 1.38, shown as `unknown`. */
  consumer_type_id: number | null
}

interface NameRow extends Stamps {
  id: Generated<number>
  name: string
}

interface ExternalIdRow extends Stamps {
  id: Generated<number>
  external_id: string
}

export interface Tables {
  resource_providers: ProviderRow
  inventories: InventoryRow
  allocations: AllocationRow
  consumers: ConsumerRow
  consumer_types: NameRow
  projects: ExternalIdRow
  users: ExternalIdRow
  resource_classes: Stamps & { id: number; name: string }
  traits: NameRow
  resource_provider_traits: { resource_provider_id: number; trait_id: number }
  placement_aggregates: Stamps & { id: Generated<number>; uuid: string }
  resource_provider_aggregates: { resource_provider_id: number; aggregate_id: number }
  /**
   * One row. `version` counts the changes of providers, `deletions` is the version of the last deletion, `names` counts
   * changes of resource classes and traits: by these a process sees what it must read again.
   */
  provider_changes: { id: number; version: number; deletions: number; names: number }
}

export type PlacementDb = Db<Tables>
export type PlacementDatabase = Kysely<Tables>
