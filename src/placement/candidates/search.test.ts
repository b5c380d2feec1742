import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CandidatesRequest, RequestGroup } from './request.ts'
import { type Candidate, findCandidates } from './search.ts'
import { arrange, type Providers, type SnapshotProvider } from './snapshot.ts'

const settings = { randomize: false, maxCandidates: -1, strategy: 'depth-first' } as const
const sharing = 'MISC_SHARES_VIA_AGGREGATE'
const classes = ['VCPU', 'DISK_GB']
const traits = ['T1', 'T2', sharing]
const aggregates = ['a1', 'a2']

const subset = (of: readonly string[]) => fc.subarray([...of]).map((some) => new Set(some))

const inventory = fc.record({
  total: fc.integer({ min: 1, max: 6 }),
  reserved: fc.integer({ min: 0, max: 1 }),
  minUnit: fc.integer({ min: 1, max: 2 }),
  maxUnit: fc.integer({ min: 2, max: 6 }),
  stepSize: fc.integer({ min: 1, max: 2 }),
  allocationRatio: fc.constantFrom(1, 1.5, 2),
  used: fc.integer({ min: 0, max: 2 }),
})

// Each provider hangs under one made before it, or is a root.
const forest = fc
  .array(
    fc.record({
      parent: fc.option(fc.nat({ max: 5 })),
      inventories: fc
        .array(fc.tuple(fc.constantFrom(...classes), inventory))
        .map((entries) => new Map(entries)),
      traits: subset(traits),
      aggregates: subset(aggregates),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((specs): Providers => {
    const byId = new Map<number, SnapshotProvider>()
    for (const [index, spec] of specs.entries()) {
      const id = index + 1
      const parent = spec.parent === null || index === 0 ? undefined : byId.get((spec.parent % index) + 1)
      byId.set(id, {
        id,
        uuid: `p${id}`,
        name: `p${id}`,
        generation: 0,
        rootId: parent?.rootId ?? id,
        parentId: parent?.id ?? null,
        createdAt: '',
        updatedAt: null,
        inventories: spec.inventories,
        traits: spec.traits,
        aggregates: spec.aggregates,
      })
    }
    return arrange(byId, new Set(classes), new Set(traits))
  })

const filter = (of: readonly string[]) =>
  fc.record({
    required: fc.array(
      subset(of).filter((some) => some.size > 0),
      { maxLength: 2 },
    ),
    forbidden: fc.oneof({ weight: 3, arbitrary: fc.constant(new Set<string>()) }, subset(of)),
  })

const groupOf = (suffix: string): fc.Arbitrary<RequestGroup> =>
  fc.record({
    suffix: fc.constant(suffix),
    resources: fc
      .array(fc.tuple(fc.constantFrom(...classes), fc.integer({ min: 1, max: 4 })), {
        minLength: 1,
        maxLength: 2,
      })
      .map((entries) => new Map(entries)),
    traits: filter(traits),
    aggregates: fc.oneof(
      { weight: 2, arbitrary: fc.constant({ required: [], forbidden: new Set<string>() }) },
      filter(aggregates),
    ),
    inTree: fc.option(fc.constantFrom('p1', 'p2', 'p3'), { nil: undefined, freq: 4 }),
  })

const requests: fc.Arbitrary<CandidatesRequest> = fc.record({
  groups: fc.subarray(['', '1', '2'], { minLength: 1 }).chain((all) => fc.tuple(...all.map(groupOf))),
  limit: fc.constant(undefined),
  isolate: fc.boolean(),
  rootTraits: fc.option(filter(traits), { nil: undefined, freq: 3 }),
  sameSubtree: fc.oneof(fc.constant([]), fc.constant([new Set(['1', '2'])])),
  nested: fc.boolean(),
})

// Everything that could be chosen, then everything that is wrong with it: slow, and near to the words of the API.
function oracle(providers: Providers, request: CandidatesRequest): Set<string> {
  const found = new Set<string>()
  const everyone = [...providers.byId.values()]
  const slots = request.groups.flatMap((group) =>
    [...group.resources].map(([name, amount]) => ({ group, name, amount })),
  )
  for (const root of everyone.filter((provider) => provider.parentId === null)) {
    if (request.rootTraits !== undefined && !passes(root.traits, request.rootTraits)) continue
    const tree = everyone.filter((provider) => provider.rootId === root.id)
    const reachable = everyone.filter(
      (provider) =>
        tree.includes(provider) ||
        (provider.traits.has(sharing) &&
          tree.some((member) => [...member.aggregates].some((uuid) => provider.aggregates.has(uuid)))),
    )
    for (const chosen of assignments(reachable, slots.length)) {
      const taken = slots.map((slot, index) => ({ ...slot, provider: chosen[index]! }))
      if (isRight(providers, request, root, taken)) found.add(describeTaken(taken))
    }
  }
  return found
}

interface Taken {
  group: RequestGroup
  name: string
  amount: number
  provider: SnapshotProvider
}

function isRight(
  providers: Providers,
  request: CandidatesRequest,
  root: SnapshotProvider,
  taken: readonly Taken[],
): boolean {
  for (const group of request.groups) {
    const mine = taken.filter((one) => one.group === group).map((one) => one.provider)
    if (group.inTree !== undefined) {
      const tree = providers.byUuid.get(group.inTree)?.rootId
      if (mine.some((provider) => provider.rootId !== tree)) return false
    }
    if (group.suffix !== '' && new Set(mine).size > 1) return false
    const together = new Set(mine.flatMap((provider) => [...provider.traits]))
    if (!group.traits.required.every((any) => [...any].some((name) => together.has(name)))) return false
    if (mine.some((provider) => [...group.traits.forbidden].some((name) => provider.traits.has(name))))
      return false
    for (const provider of mine) {
      const { required, forbidden } = group.aggregates
      const isIn = (one: SnapshotProvider) =>
        required.every((any) => [...any].some((uuid) => one.aggregates.has(uuid)))
      const inherits = group.suffix === ''
      const inside = isIn(provider) || (inherits && provider.rootId === root.id && isIn(root))
      if (required.length > 0 && !inside) return false
      const bad = (one: SnapshotProvider) => [...forbidden].some((uuid) => one.aggregates.has(uuid))
      if (bad(provider) || (inherits && bad(root))) return false
    }
  }
  const totals = new Map<string, { provider: SnapshotProvider; name: string; amounts: number[] }>()
  for (const { provider, name, amount } of taken) {
    const key = `${provider.id} ${name}`
    const total = totals.get(key) ?? { provider, name, amounts: [] }
    total.amounts.push(amount)
    totals.set(key, total)
  }
  for (const { provider, name, amounts } of totals.values()) {
    const held = provider.inventories.get(name)
    if (held === undefined) return false
    const sum = amounts.reduce((one, other) => one + other, 0)
    for (const amount of [...amounts, sum]) {
      if (amount < held.minUnit || amount > held.maxUnit || amount % held.stepSize !== 0) return false
      if (amount + held.used > (held.total - held.reserved) * held.allocationRatio) return false
    }
  }
  const ofGroups = (suffixes: (suffix: string) => boolean) => [
    ...new Map(
      taken
        .filter((one) => suffixes(one.group.suffix))
        .map((one) => [`${one.group.suffix} ${one.provider.id}`, one]),
    ).values(),
  ]
  const granular = ofGroups((suffix) => suffix !== '').map((one) => one.provider.id)
  if (request.isolate && new Set(granular).size !== granular.length) return false
  for (const suffixes of request.sameSubtree) {
    const bound = ofGroups((suffix) => suffixes.has(suffix)).map((one) => one.provider)
    const above = (provider: SnapshotProvider): number[] =>
      provider.parentId === null
        ? [provider.id]
        : [provider.id, ...above(providers.byId.get(provider.parentId)!)]
    if (bound.length > 0 && !bound.some((top) => bound.every((one) => above(one).includes(top.id))))
      return false
  }
  const used = [...new Set(taken.map((one) => one.provider))]
  return request.nested || new Set(used.map((provider) => provider.rootId)).size === used.length
}

function* assignments(from: readonly SnapshotProvider[], length: number): Generator<SnapshotProvider[]> {
  if (length === 0) {
    yield []
    return
  }
  for (const rest of assignments(from, length - 1)) for (const provider of from) yield [...rest, provider]
}

// What is taken in total of whom, and who serves which group: all that a client can see.
function describeTaken(taken: readonly Taken[]): string {
  const totals: Record<string, number> = {}
  const mappings = new Set<string>()
  for (const { group, name, amount, provider } of taken) {
    totals[`${provider.id}.${name}`] = (totals[`${provider.id}.${name}`] ?? 0) + amount
    mappings.add(`${group.suffix}=${provider.id}`)
  }
  return JSON.stringify([Object.entries(totals).sort(), [...mappings].sort()])
}

function describeCandidate({ allocations, mappings }: Candidate): string {
  const totals = [...allocations].flatMap(([provider, amounts]) =>
    [...amounts].map(([name, amount]) => [`${provider.id}.${name}`, amount]),
  )
  const served = [...mappings].flatMap(([suffix, all]) => [...all].map((one) => `${suffix}=${one.id}`))
  return JSON.stringify([totals.sort(), served.sort()])
}

const passes = (
  held: ReadonlySet<string>,
  wanted: { required: readonly ReadonlySet<string>[]; forbidden: ReadonlySet<string> },
): boolean =>
  wanted.required.every((any) => [...any].some((name) => held.has(name))) &&
  ![...wanted.forbidden].some((name) => held.has(name))

test('the candidates are exactly those that trying everything finds', () => {
  let nonEmpty = 0
  fc.assert(
    fc.property(forest, requests, (providers, request) => {
      const candidates = findCandidates(providers, request, settings).map(describeCandidate)
      assert.deepEqual(candidates.toSorted(), [...oracle(providers, request)].sort())
      nonEmpty += candidates.length > 0 ? 1 : 0
    }),
    { numRuns: 300 },
  )
  assert.ok(nonEmpty > 15, `only ${nonEmpty} requests had candidates`)
})

test('breadth first offers one candidate of each tree before a second of any, and the same in all', () => {
  fc.assert(
    fc.property(forest, requests, (providers, request) => {
      const all = findCandidates(providers, request, settings).map(describeCandidate)
      const broad = findCandidates(providers, request, { ...settings, strategy: 'breadth-first' })
      assert.deepEqual(broad.map(describeCandidate).sort(), all.toSorted())
      const some = findCandidates(providers, { ...request, limit: 2 }, settings).map(describeCandidate)
      assert.deepEqual(some, all.slice(0, 2))
      const random = findCandidates(providers, { ...request, limit: 2 }, { ...settings, randomize: true })
      assert.equal(random.length, Math.min(2, all.length))
      for (const one of random.map(describeCandidate)) assert.ok(all.includes(one))
    }),
    { numRuns: 100 },
  )
})
