/**
 * Finds the ways to satisfy a request. Every candidate has an anchor: the root of the tree that its providers are in,
 * or share resources with by an aggregate. So the search goes from root to root; for each it collects who could serve
 * each group there, and combines.
 */
import { assertResourceClasses, assertTraits, fits, hasRequired, hasResources, satisfies } from './filters.ts'
import type { CandidateSettings, CandidatesRequest, RequestGroup } from './request.ts'
import type { Providers, SnapshotProvider } from './snapshot.ts'

/** One way to serve one group: which provider gives which resources. */
interface Option {
  group: RequestGroup
  /** Resource class → the provider it is taken from. */
  sources: ReadonlyMap<string, SnapshotProvider>
  providers: ReadonlySet<SnapshotProvider>
}

/** One way to serve the whole request. */
export interface Candidate {
  /** Provider → resource class → amount. */
  allocations: ReadonlyMap<SnapshotProvider, ReadonlyMap<string, number>>
  /** Suffix → the providers that serve the group. */
  mappings: ReadonlyMap<string, ReadonlySet<SnapshotProvider>>
}

/** The candidates for a request, in the order of their roots. Runs without a pause: the snapshot stands still. */
export function findCandidates(
  providers: Providers,
  request: CandidatesRequest,
  settings: CandidateSettings,
): Candidate[] {
  for (const group of request.groups) {
    assertResourceClasses(providers, group.resources)
    assertTraits(providers, group.traits)
  }
  if (request.rootTraits !== undefined) assertTraits(providers, request.rootTraits)
  const most = settings.maxCandidates < 0 ? Number.POSITIVE_INFINITY : settings.maxCandidates
  const limit = request.limit ?? Number.POSITIVE_INFINITY
  const wanted = settings.randomize ? most : Math.min(most, limit)
  const found = new Map<string, Candidate>()
  if (wanted > 0) {
    for (const candidate of generate(providers, request, settings.strategy)) {
      const key = keyOf(candidate)
      if (!found.has(key)) found.set(key, candidate)
      if (found.size >= wanted) break
    }
  }
  const candidates = [...found.values()]
  return settings.randomize ? sample(candidates, Math.min(limit, candidates.length)) : candidates
}

function* generate(
  providers: Providers,
  request: CandidatesRequest,
  strategy: CandidateSettings['strategy'],
): Generator<Candidate> {
  const roots = rootsToVisit(providers, request)
  if (strategy === 'depth-first') {
    for (const root of roots) yield* candidatesAt(providers, request, root)
    return
  }
  let open = [...roots].map((root) => candidatesAt(providers, request, root))
  while (open.length > 0) {
    const still: typeof open = []
    for (const one of open) {
      const next = one.next()
      if (next.done === true) continue
      yield next.value
      still.push(one)
    }
    open = still
  }
}

function* rootsToVisit(providers: Providers, request: CandidatesRequest): Generator<SnapshotProvider> {
  for (const rootId of providers.trees.keys()) {
    const root = providers.byId.get(rootId)
    if (root === undefined) continue
    if (request.rootTraits !== undefined && !satisfies(root.traits, request.rootTraits)) continue
    yield root
  }
}

function* candidatesAt(
  providers: Providers,
  request: CandidatesRequest,
  root: SnapshotProvider,
): Generator<Candidate> {
  const tree = providers.trees.get(root.id)!
  const reachable = withSharing(providers, tree)
  const lists: Option[][] = []
  for (const group of request.groups) {
    const within = group.inTree === undefined ? reachable : inTree(providers, group.inTree, reachable)
    const options = group.suffix === '' ? spreadOptions(group, within, root) : wholeOptions(group, within)
    if (options.length === 0) return
    lists.push(options)
  }
  for (const options of combine(lists, (partial) => keepsApart(request, partial))) {
    if (!request.sameSubtree.every((suffixes) => underOne(providers, options, suffixes))) continue
    const candidate = merge(options)
    if (!holds(candidate)) continue
    if (!request.nested && !oneOfEachTree(candidate)) continue
    yield candidate
  }
}

// The tree, and the providers outside that share with one of it.
function withSharing(providers: Providers, tree: readonly SnapshotProvider[]): readonly SnapshotProvider[] {
  if (providers.sharing.size === 0) return tree
  const reachable = new Set(tree)
  for (const provider of tree) {
    for (const aggregate of provider.aggregates) {
      for (const sharing of providers.sharing.get(aggregate) ?? []) reachable.add(sharing)
    }
  }
  return reachable.size === tree.length ? tree : [...reachable]
}

function inTree(
  providers: Providers,
  uuid: string,
  among: readonly SnapshotProvider[],
): readonly SnapshotProvider[] {
  const rootId = providers.byUuid.get(uuid)?.rootId
  return among.filter((provider) => provider.rootId === rootId)
}

// A suffixed group is served by one provider, with all it asks for.
function wholeOptions(group: RequestGroup, among: readonly SnapshotProvider[]): Option[] {
  const options: Option[] = []
  for (const provider of among) {
    if (!hasResources(provider, group.resources)) continue
    if (!satisfies(provider.traits, group.traits) || !satisfies(provider.aggregates, group.aggregates))
      continue
    const sources = new Map([...group.resources.keys()].map((name) => [name, provider]))
    options.push({ group, sources, providers: new Set([provider]) })
  }
  return options
}

// The unsuffixed group may take each resource from another provider; together they must have the traits. Being in an
// aggregate is inherited from the root.
function spreadOptions(
  group: RequestGroup,
  among: readonly SnapshotProvider[],
  root: SnapshotProvider,
): Option[] {
  const { required, forbidden } = group.aggregates
  const admitted = (provider: SnapshotProvider): boolean =>
    (hasRequired(provider.aggregates, required) ||
      (provider.rootId === root.id && hasRequired(root.aggregates, required))) &&
    provider.aggregates.isDisjointFrom(forbidden) &&
    root.aggregates.isDisjointFrom(forbidden) &&
    provider.traits.isDisjointFrom(group.traits.forbidden)
  const lists: (readonly [string, SnapshotProvider])[][] = []
  for (const [name, amount] of group.resources) {
    const sources = among
      .filter((provider) => fits(provider.inventories.get(name), amount) && admitted(provider))
      .map((provider) => [name, provider] as const)
    if (sources.length === 0) return []
    lists.push(sources)
  }
  const options: Option[] = []
  for (const chosen of combine(lists)) {
    const sources = new Map(chosen)
    const used = new Set(sources.values())
    const traits = used.size === 1 ? chosen[0]![1].traits : unionOf([...used].map((one) => one.traits))
    if (hasRequired(traits, group.traits.required)) options.push({ group, sources, providers: used })
  }
  return options
}

const unionOf = (sets: readonly ReadonlySet<string>[]): ReadonlySet<string> =>
  new Set(sets.flatMap((set) => [...set]))

// Every choice of one item from each list; what `keep` refuses is not followed further.
function* combine<T>(
  lists: readonly (readonly T[])[],
  keep?: (partial: readonly T[]) => boolean,
): Generator<T[]> {
  const chosen: T[] = []
  function* from(index: number): Generator<T[]> {
    if (index === lists.length) {
      yield [...chosen]
      return
    }
    for (const item of lists[index]!) {
      chosen.push(item)
      if (keep === undefined || keep(chosen)) yield* from(index + 1)
      chosen.pop()
    }
  }
  yield* from(0)
}

// `group_policy=isolate`: no two suffixed groups on one provider. Only the last choice is new.
function keepsApart(request: CandidatesRequest, options: readonly Option[]): boolean {
  const last = options.at(-1)!
  if (!request.isolate || last.group.suffix === '') return true
  return options
    .slice(0, -1)
    .every((option) => option.group.suffix === '' || option.providers.isDisjointFrom(last.providers))
}

function underOne(providers: Providers, options: readonly Option[], suffixes: ReadonlySet<string>): boolean {
  const bound = new Set<SnapshotProvider>()
  for (const option of options) {
    if (suffixes.has(option.group.suffix)) for (const provider of option.providers) bound.add(provider)
  }
  const isUnder = (provider: SnapshotProvider, top: SnapshotProvider): boolean => {
    let at: SnapshotProvider | undefined = provider
    while (at !== undefined && at !== top)
      at = at.parentId === null ? undefined : providers.byId.get(at.parentId)
    return at === top
  }
  return bound.size < 2 || [...bound].some((top) => [...bound].every((provider) => isUnder(provider, top)))
}

function merge(options: readonly Option[]): Candidate {
  const allocations = new Map<SnapshotProvider, Map<string, number>>()
  const mappings = new Map<string, ReadonlySet<SnapshotProvider>>()
  for (const { group, sources, providers } of options) {
    mappings.set(group.suffix, providers)
    for (const [name, provider] of sources) {
      let amounts = allocations.get(provider)
      if (amounts === undefined) {
        amounts = new Map()
        allocations.set(provider, amounts)
      }
      amounts.set(name, (amounts.get(name) ?? 0) + group.resources.get(name)!)
    }
  }
  return { allocations, mappings }
}

// Groups fit one by one; several on one provider may be too much together.
function holds(candidate: Candidate): boolean {
  for (const [provider, amounts] of candidate.allocations) {
    for (const [name, amount] of amounts) if (!fits(provider.inventories.get(name), amount)) return false
  }
  return true
}

function oneOfEachTree(candidate: Candidate): boolean {
  const roots = new Set([...candidate.allocations.keys()].map((provider) => provider.rootId))
  return roots.size === candidate.allocations.size
}

// Two anchors may lead to the same candidate when all of it is shared.
function keyOf(candidate: Candidate): string {
  const parts: string[] = []
  for (const [suffix, providers] of candidate.mappings) {
    parts.push(`${suffix}=${[...providers].map((provider) => provider.id).sort()}`)
  }
  for (const [provider, amounts] of [...candidate.allocations].sort(([one], [other]) => one.id - other.id)) {
    parts.push(`${provider.id}:${[...amounts.keys()].sort()}`)
  }
  return parts.join(';')
}

function sample<T>(items: T[], count: number): T[] {
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(Math.random() * (items.length - index))
    const item = items[index]!
    items[index] = items[other]!
    items[other] = item
  }
  return items.slice(0, count)
}
