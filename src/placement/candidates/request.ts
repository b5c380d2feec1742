import type { AggregateFilter, Resources, TraitFilter } from './filters.ts'

/** What `GET /allocation_candidates` asks for under one suffix. */
export interface RequestGroup {
  /** Empty for the unsuffixed group, whose resources may come from several providers of a tree. */
  suffix: string
  resources: Resources
  traits: TraitFilter
  aggregates: AggregateFilter
  /** The uuid of a provider in the tree that must serve the group. */
  inTree: string | undefined
}

export interface CandidatesRequest {
  groups: readonly RequestGroup[]
  limit: number | undefined
  /** Suffixed groups must be served by different providers. */
  isolate: boolean
  rootTraits: TraitFilter | undefined
  /** The providers of each set of suffixes must lie under one of them. */
  sameSubtree: readonly ReadonlySet<string>[]
  /** Whether one candidate may take from several providers of one tree. */
  nested: boolean
}

/** How an operator bounds and orders what is generated. */
export interface CandidateSettings {
  /** The candidates returned are a random sample of all. */
  randomize: boolean
  /** No more than this are generated; -1 for all. */
  maxCandidates: number
  /** Whether all candidates of a tree come before those of the next, or one of each tree first. */
  strategy: 'depth-first' | 'breadth-first'
}
