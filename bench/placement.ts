/**
 * Measures placement's two budgets in this process, over its REST API without sockets: the time of a request for
 * candidates among many providers, and how many claims it takes a second.
 *
 *     node bench/placement.ts [providers] [claims] [database file]
 */
import Table from 'cli-table3'
import { newUuid } from '../src/base/ids.ts'
import { lastRevision, nextRevision } from '../src/placement/store/changes.ts'
import { type PlacementWorld, placementWorld } from '../src/placement/world.ts'

const providerCount = Number(process.argv[2] ?? 5000)
const claimCount = Number(process.argv[3] ?? 4000)
const databaseFile = process.argv[4]
const clients = 8

await using world = await placementWorld(
  databaseFile === undefined ? {} : { databaseUrl: `sqlite:///${databaseFile}` },
)
const aggregates = Array.from({ length: 10 }, newUuid)
await fill(world, providerCount)
const rows = await world.db.selectFrom('resource_providers').select('uuid').execute()
let claimed = 0

const base = '/allocation_candidates?resources=VCPU:2,MEMORY_MB:2048,DISK_GB:20&limit=10'
const table = new Table({
  head: ['what', 'budget', 'median', 'p95', 'first'],
  style: { head: [], border: [] },
})
const queries: readonly [string, string][] = [
  ['candidates, limit 10', base],
  ['… with a trait and an aggregate', `${base}&required=HW_CPU_X86_AVX2&member_of=${aggregates[3]}`],
  ['… that nobody can serve', `${base.replace('VCPU:2', 'VCPU:17')}`],
  ['… without a limit', base.replace('&limit=10', '')],
]
for (const [name, path] of queries) {
  const times = await measure(40, () => get(path))
  table.push([name, name.endsWith('limit 10') ? '10 ms' : '', ...show(times)])
}

const claims = await claimAll(claimCount)
table.push([`candidates, limit 10, after a claim each`, '', ...show(await measure(40, claimAndGet))])
const rate = Math.round(claimCount / (claims / 1000))
console.log(`${providerCount} providers, ${databaseFile ?? 'database in memory'}, node ${process.version}`)
console.log(table.toString())
console.log(`claims with ${clients} clients: ${rate} /s (budget 1000 /s)`)

async function get(path: string): Promise<void> {
  const { status } = await world.call('GET', path)
  if (status !== 200) throw new Error(`${path}: ${status}`)
}

async function claimNext(): Promise<void> {
  const provider = rows[claimed++ % rows.length]!.uuid
  const request = { allocations: { [provider]: { resources: { VCPU: 1, MEMORY_MB: 512, DISK_GB: 5 } } } }
  const result = await world.client.claim(newUuid(), request, 'project', 'user')
  if (result.outcome !== 'claimed') throw new Error(result.reason)
}

async function claimAll(count: number): Promise<number> {
  const until = claimed + count
  const work = async (): Promise<void> => {
    while (claimed < until) await claimNext()
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: clients }, work))
  return performance.now() - started
}

async function claimAndGet(): Promise<void> {
  await claimNext()
  await get(base)
}

async function measure(times: number, work: () => Promise<void>): Promise<number[]> {
  const taken: number[] = []
  for (let index = 0; index < times; index++) {
    const started = performance.now()
    await work()
    taken.push(performance.now() - started)
  }
  return taken
}

function show(times: readonly number[]): string[] {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!
  return [at(0.5), at(0.95), times[0]!].map((time) => `${time.toFixed(2)} ms`)
}

// Straight into the tables: setting thousands of hosts up by the API is not what is measured.
async function fill({ db }: PlacementWorld, count: number): Promise<void> {
  const created_at = new Date().toISOString()
  const stamps = { created_at, updated_at: null }
  await db.transaction().execute(async (transaction) => {
    const traits = await transaction
      .selectFrom('traits')
      .select('id')
      .where('name', 'like', 'HW_CPU_X86_AVX%')
      .execute()
    for (const uuid of aggregates) {
      await transaction
        .insertInto('placement_aggregates')
        .values({ uuid, ...stamps })
        .execute()
    }
    await nextRevision(transaction)
    for (let id = 1; id <= count; id++) {
      const name = `compute-${id}`
      const tree = { root_provider_id: id, parent_provider_id: null }
      await transaction
        .insertInto('resource_providers')
        .values({ id, uuid: newUuid(), name, generation: 1, ...tree, revision: lastRevision, ...stamps })
        .execute()
      const limits = { reserved: 0, min_unit: 1, max_unit: 65536, step_size: 1, allocation_ratio: 1 }
      const classes = [
        [0, 16],
        [1, 65536],
        [2, 1000],
      ] as const
      const inventories = classes.map(([resource_class_id, total]) => ({
        resource_provider_id: id,
        resource_class_id,
        total,
        ...limits,
        ...stamps,
      }))
      await transaction.insertInto('inventories').values(inventories).execute()
      const held = traits.map((trait) => ({ resource_provider_id: id, trait_id: trait.id }))
      await transaction.insertInto('resource_provider_traits').values(held).execute()
      await transaction
        .insertInto('resource_provider_aggregates')
        .values({ resource_provider_id: id, aggregate_id: (id % aggregates.length) + 1 })
        .execute()
    }
  })
}
