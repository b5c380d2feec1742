/** What Placement's client takes and gives. */

export interface Provider {
  uuid: string
  name: string
  generation: number
  parentUuid: string | null
  rootUuid: string
}

export interface Inventory {
  total: number
  reserved?: number
  min_unit?: number
  max_unit?: number
  step_size?: number
  allocation_ratio?: number
}

/** Resource class → inventory. */
export type Inventories = Readonly<Record<string, Inventory>>

/** Provider uuid → what is taken of it. */
export type Allocations = Readonly<Record<string, { resources: Readonly<Record<string, number>> }>>

/** One way to satisfy a request; `mappings` says which providers serve which request group. */
export interface AllocationRequest {
  allocations: Allocations
  mappings?: Readonly<Record<string, readonly string[]>>
}

export interface ProviderSummary {
  resources: Readonly<Record<string, { capacity: number; used: number }>>
  traits: readonly string[]
  parent_provider_uuid: string | null
  root_provider_uuid: string
}

export interface AllocationCandidates {
  allocationRequests: readonly AllocationRequest[]
  /** By provider uuid. */
  providerSummaries: Readonly<Record<string, ProviderSummary>>
}

export interface ConsumerAllocations {
  allocations: Readonly<Record<string, { generation: number; resources: Readonly<Record<string, number>> }>>
  /** Null when the consumer has no allocations, as are the other facts. */
  consumerGeneration: number | null
  projectId: string | null
  userId: string | null
  consumerType: string | null
}

/** `no-capacity`: try another candidate. `conflict`: somebody else changed the consumer; read it again. */
export type ClaimResult = { outcome: 'claimed' } | { outcome: 'no-capacity' | 'conflict'; reason: string }

export interface ClaimOptions {
  /** What the consumer's generation is believed to be: null (the default) for one without allocations. */
  consumerGeneration?: number | null
  /** `INSTANCE` unless given. */
  consumerType?: string
}

/** The new allocations of one consumer, for `moveAllocations`; empty allocations remove it. */
export interface ConsumerMove extends AllocationRequest {
  projectId: string
  userId: string
  consumerGeneration: number | null
  consumerType?: string
}

/** A query as text, or its parameters, of which some may be repeated. */
export type Query = string | URLSearchParams | Readonly<Record<string, string | number | readonly string[]>>
