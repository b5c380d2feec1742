/**
 * All providers with what hangs on them, in memory. A search for candidates looks at thousands of providers, which
 * takes a millisecond here and would take a hundred in SQL. It is never trusted for more than offers: a claim is
 * checked in the database.
 *
 * It stays true across processes by `provider_changes`: each change gives the providers it touches a new revision, and
 * a reader loads those with a revision newer than the last it saw.
 */
import { sql } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import { inTransaction } from '../../base/db/transaction.ts'
import { getChanges } from '../store/changes.ts'
import type { PlacementDatabase, PlacementDb } from '../store/tables.ts'

export interface SnapshotInventory {
  total: number
  reserved: number
  minUnit: number
  maxUnit: number
  stepSize: number
  allocationRatio: number
  used: number
}

export interface SnapshotProvider {
  id: number
  uuid: string
  name: string
  generation: number
  rootId: number
  parentId: number | null
  createdAt: string
  updatedAt: string | null
  /** By the name of the resource class, in the order of their ids. */
  inventories: ReadonlyMap<string, SnapshotInventory>
  traits: ReadonlySet<string>
  aggregates: ReadonlySet<string>
}

/** The providers at one moment. */
export interface Providers {
  byId: ReadonlyMap<number, SnapshotProvider>
  byUuid: ReadonlyMap<string, SnapshotProvider>
  /** Root id → the providers of the tree; in the order of root ids. */
  trees: ReadonlyMap<number, readonly SnapshotProvider[]>
  /** Aggregate uuid → the providers in it that share their inventory with the others in it. */
  sharing: ReadonlyMap<string, readonly SnapshotProvider[]>
  /** True when some provider has a parent. */
  nested: boolean
  resourceClasses: ReadonlySet<string>
  traits: ReadonlySet<string>
}

const sharingTrait = 'MISC_SHARES_VIA_AGGREGATE'

export class ProviderSnapshot {
  readonly #db: PlacementDatabase
  #seen = { version: 0, deletions: 0, names: 0 }
  #byId = new Map<number, SnapshotProvider>()
  #resourceClasses: ReadonlySet<string> = new Set()
  #traits: ReadonlySet<string> = new Set()
  #providers: Providers | undefined
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<Providers> | undefined

  constructor(db: PlacementDatabase) {
    this.#db = db
  }

  /** The providers with every change that was committed before the call. */
  current(): Promise<Providers> {
    // Callers that come while a refresh runs share the one after it: the running one may have missed a change.
    this.#next ??= this.#running
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        const refreshing = this.#refresh()
        this.#running = refreshing
        this.#next = undefined
        return refreshing
      })
    return this.#next
  }

  async #refresh(): Promise<Providers> {
    const now = await getChanges(this.#db)
    const { version, names } = this.#seen
    if (this.#providers !== undefined && now.version === version && now.names === names)
      return this.#providers
    // The counters are read again inside: what is loaded is at least as new as they say.
    const rearrange = await inTransaction(this.#db, (transaction) => this.#load(transaction))
    if (rearrange || this.#providers === undefined)
      this.#providers = arrange(this.#byId, this.#resourceClasses, this.#traits)
    return this.#providers
  }

  // True when more changed than inventories and what is used of them, which happens with every claim.
  async #load(db: PlacementDb): Promise<boolean> {
    const changes = await getChanges(db)
    let rearrange = changes.deletions > this.#seen.deletions
    const full = this.#seen.version === 0 || changes.names !== this.#seen.names
    if (full) {
      const classes = await db.selectFrom('resource_classes').select('name').execute()
      const traits = await db.selectFrom('traits').select('name').execute()
      this.#resourceClasses = new Set(classes.map((row) => row.name))
      this.#traits = new Set(traits.map((row) => row.name))
    }
    if (changes.deletions > this.#seen.deletions) {
      const rows = await db.selectFrom('resource_providers').select('id').execute()
      for (const id of new Set(this.#byId.keys()).difference(new Set(rows.map((row) => row.id))))
        this.#byId.delete(id)
    }
    for (const provider of await readProviders(db, full ? -1 : this.#seen.version)) {
      const known = this.#byId.get(provider.id)
      rearrange ||= full || known === undefined || !samePlace(known, provider)
      // A search runs without a pause, so it never sees a provider change under it.
      if (known === undefined) this.#byId.set(provider.id, provider)
      else Object.assign(known, provider)
    }
    this.#seen = changes
    return rearrange
  }
}

const samePlace = (one: SnapshotProvider, other: SnapshotProvider): boolean =>
  one.rootId === other.rootId &&
  one.parentId === other.parentId &&
  sameSet(one.traits, other.traits) &&
  sameSet(one.aggregates, other.aggregates)

const sameSet = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && one.isSubsetOf(other)

interface Since {
  since: number
}

const changedSince = (db: PlacementDb, since: number) =>
  db.selectFrom('resource_providers').select('id').where('revision', '>', since)
const selectProviders = statement((db: PlacementDb, p: Since) =>
  db
    .selectFrom('resource_providers')
    .select(['id', 'uuid', 'name', 'generation', 'root_provider_id', 'parent_provider_id'])
    .select(['created_at', 'updated_at'])
    .where('revision', '>', p.since),
)
const sumUsed = statement((db: PlacementDb, p: Since) =>
  db
    .selectFrom('allocations')
    .select(['resource_provider_id as provider', 'resource_class_id as class'])
    .select(sql<number>`sum(used)`.as('used'))
    .where('resource_provider_id', 'in', changedSince(db, p.since))
    .groupBy(['resource_provider_id', 'resource_class_id']),
)
const selectInventories = statement((db: PlacementDb, p: Since) =>
  db
    .selectFrom('inventories as i')
    .innerJoin('resource_classes as c', 'c.id', 'i.resource_class_id')
    .select(['i.resource_provider_id as provider', 'i.resource_class_id as class', 'c.name'])
    .select(['i.total', 'i.reserved', 'i.min_unit', 'i.max_unit', 'i.step_size', 'i.allocation_ratio'])
    .where('i.resource_provider_id', 'in', changedSince(db, p.since))
    .orderBy('i.resource_class_id'),
)
const selectTraits = statement((db: PlacementDb, p: Since) =>
  db
    .selectFrom('resource_provider_traits as rt')
    .innerJoin('traits as t', 't.id', 'rt.trait_id')
    .select(['rt.resource_provider_id as provider', 't.name as text'])
    .where('rt.resource_provider_id', 'in', changedSince(db, p.since))
    .orderBy('t.id'),
)
const selectAggregates = statement((db: PlacementDb, p: Since) =>
  db
    .selectFrom('resource_provider_aggregates as pa')
    .innerJoin('placement_aggregates as a', 'a.id', 'pa.aggregate_id')
    .select(['pa.resource_provider_id as provider', 'a.uuid as text'])
    .where('pa.resource_provider_id', 'in', changedSince(db, p.since)),
)

async function readProviders(db: PlacementDb, since: number): Promise<SnapshotProvider[]> {
  const { rows } = await selectProviders(db, { since })
  const used = new Map<string, number>()
  for (const row of (await sumUsed(db, { since })).rows)
    used.set(`${row.provider} ${row.class}`, Number(row.used))

  const inventories = new Map<number, Map<string, SnapshotInventory>>()
  for (const row of (await selectInventories(db, { since })).rows) {
    const held = inventories.get(row.provider) ?? new Map<string, SnapshotInventory>()
    inventories.set(row.provider, held)
    held.set(row.name, {
      total: row.total,
      reserved: row.reserved,
      minUnit: row.min_unit,
      maxUnit: row.max_unit,
      stepSize: row.step_size,
      allocationRatio: row.allocation_ratio,
      used: used.get(`${row.provider} ${row.class}`) ?? 0,
    })
  }
  const traits = (await selectTraits(db, { since })).rows
  const aggregates = (await selectAggregates(db, { since })).rows
  const traitsOf = Map.groupBy(traits, (row) => row.provider)
  const aggregatesOf = Map.groupBy(aggregates, (row) => row.provider)
  return rows.map((row) => ({
    id: row.id,
    uuid: row.uuid,
    name: row.name,
    generation: row.generation,
    rootId: row.root_provider_id ?? row.id,
    parentId: row.parent_provider_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    inventories: inventories.get(row.id) ?? new Map(),
    traits: new Set((traitsOf.get(row.id) ?? []).map((one) => one.text)),
    aggregates: new Set((aggregatesOf.get(row.id) ?? []).map((one) => one.text)),
  }))
}

/** Providers by id with what a search needs to find its way among them. */
export function arrange(
  known: ReadonlyMap<number, SnapshotProvider>,
  resourceClasses: ReadonlySet<string>,
  traits: ReadonlySet<string>,
): Providers {
  const sorted = [...known.values()].sort((one, other) => one.rootId - other.rootId || one.id - other.id)
  const trees = new Map<number, SnapshotProvider[]>()
  const sharing = new Map<string, SnapshotProvider[]>()
  let nested = false
  for (const provider of sorted) {
    const tree = trees.get(provider.rootId)
    if (tree === undefined) trees.set(provider.rootId, [provider])
    else tree.push(provider)
    nested ||= provider.parentId !== null
    if (!provider.traits.has(sharingTrait)) continue
    for (const aggregate of provider.aggregates) {
      const group = sharing.get(aggregate)
      if (group === undefined) sharing.set(aggregate, [provider])
      else group.push(provider)
    }
  }
  return {
    byId: new Map(known),
    byUuid: new Map(sorted.map((provider) => [provider.uuid, provider])),
    trees,
    sharing,
    nested,
    resourceClasses,
    traits,
  }
}
