/** Takes a subnet's prefix out of a pool of prefixes. */
import { badResource, conflict, invalid } from '../errors.ts'
import type { SubnetPoolRow } from '../store/tables.ts'
import type { Work } from '../work.ts'
import { type Cidr, formatCidr, type IpRange, parseCidr, subtract } from './ip.ts'

const width = (version: number): number => (version === 4 ? 32 : 128)

/** The prefix that was asked for, or any free one of that length (the pool's default unless given). */
export async function takePrefix(
  work: Work,
  pool: SubnetPoolRow,
  wanted: { cidr: Cidr | undefined; prefixLength: number | undefined; ipVersion: number; projectId: string },
): Promise<Cidr> {
  if (wanted.ipVersion !== pool.ip_version) {
    throw badResource(
      'subnets',
      `Cannot allocate IPv${wanted.ipVersion} subnet from IPv${pool.ip_version} subnet pool`,
    )
  }
  const length = wanted.cidr?.prefixLength ?? wanted.prefixLength ?? pool.default_prefixlen
  assertLength(pool, length)
  // Writing the row first makes others wait, so that no two take the same prefix.
  await work.db
    .updateTable('subnetpools')
    .set({ revision_number: pool.revision_number })
    .where('id', '=', pool.id)
    .execute()
  await assertPoolQuota(work, pool, wanted.projectId, length)
  const free = await freeRanges(work, pool)
  if (wanted.cidr !== undefined) {
    const { cidr } = wanted
    const inside = free.some((range) => range.first <= cidr.first && cidr.last <= range.last)
    if (inside) return cidr
    throw conflict(
      'SubnetAllocationError',
      'Failed to allocate subnet: Cannot allocate requested subnet from the available set of prefixes.',
    )
  }
  const size = 1n << BigInt(width(pool.ip_version) - length)
  for (const range of free) {
    const first = ((range.first + size - 1n) / size) * size
    if (first + size - 1n <= range.last) {
      const version = pool.ip_version === 4 ? 4 : 6
      return { version, prefixLength: length, first, last: first + size - 1n }
    }
  }
  throw conflict(
    'SubnetAllocationError',
    `Failed to allocate subnet: Insufficient prefix space to allocate subnet size /${length}.`,
  )
}

function assertLength(pool: SubnetPoolRow, length: number): void {
  if (length > pool.max_prefixlen) {
    throw invalid(
      'MaxPrefixSubnetAllocationError',
      `Unable to allocate subnet with prefix length ${length}, maximum allowed prefix is ${pool.max_prefixlen}.`,
    )
  }
  if (length < pool.min_prefixlen) {
    throw invalid(
      'MinPrefixSubnetAllocationError',
      `Unable to allocate subnet with prefix length ${length}, minimum allowed prefix is ${pool.min_prefixlen}.`,
    )
  }
}

// The quota counts IPv4 addresses, and IPv6 networks of /64.
async function assertPoolQuota(
  work: Work,
  pool: SubnetPoolRow,
  projectId: string,
  length: number,
): Promise<void> {
  if (pool.default_quota === null) return
  const unit = pool.ip_version === 4 ? 32 : 64
  const cost = (prefixLength: number): bigint =>
    prefixLength >= unit ? 1n : 1n << BigInt(unit - prefixLength)
  const rows = await work.db
    .selectFrom('subnets')
    .select('cidr')
    .where('subnetpool_id', '=', pool.id)
    .where('project_id', '=', projectId)
    .execute()
  const used = rows.reduce((sum, row) => sum + cost(parseCidr(row.cidr)!.prefixLength), 0n)
  if (used + cost(length) > BigInt(pool.default_quota))
    throw conflict('SubnetPoolQuotaExceeded', 'Per-tenant subnet pool prefix quota exceeded.')
}

async function freeRanges(work: Work, pool: SubnetPoolRow): Promise<IpRange[]> {
  const prefixes = await work.db
    .selectFrom('subnetpoolprefixes')
    .select('cidr')
    .where('subnetpool_id', '=', pool.id)
    .execute()
  const subnets = await work.db
    .selectFrom('subnets')
    .select('cidr')
    .where('subnetpool_id', '=', pool.id)
    .execute()
  return subtract(
    prefixes.map((row) => parseCidr(row.cidr)!),
    subnets.map((row) => parseCidr(row.cidr)!),
  )
}

/** Prefixes in their canonical form, adjacent ones joined, in order. */
export function joinPrefixes(texts: readonly string[]): string[] {
  let cidrs = texts.map((text) => parseCidr(text)!)
  cidrs = cidrs.filter(
    (cidr, index) =>
      !cidrs.some(
        (other, at) =>
          at !== index &&
          other.first <= cidr.first &&
          cidr.last <= other.last &&
          (other.prefixLength < cidr.prefixLength || at < index),
      ),
  )
  for (let joined = true; joined; ) {
    joined = false
    cidrs.sort((one, other) => (one.first < other.first ? -1 : 1))
    for (let index = 0; index + 1 < cidrs.length; index++) {
      const [one, next] = [cidrs[index]!, cidrs[index + 1]!]
      const size = one.last - one.first + 1n
      if (one.prefixLength !== next.prefixLength || one.last + 1n !== next.first) continue
      if (one.first % (size * 2n) !== 0n) continue
      cidrs.splice(index, 2, { ...one, prefixLength: one.prefixLength - 1, last: next.last })
      joined = true
      break
    }
  }
  return cidrs.map(formatCidr)
}
