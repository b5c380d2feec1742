/** `add_prefixes` and `remove_prefixes`. */
import { badResource, invalid, invalidInput } from '../../errors.ts'
import { formatCidr, formatIp, type IpRange, overlaps, parseCidr, subtract } from '../../ipam/ip.ts'
import { touch } from '../../store/standard.ts'
import type { SubnetPoolRow } from '../../store/tables.ts'
import type { ResourceAction } from '../actions.ts'
import * as check from '../checks.ts'
import { growPrefixes, readPrefixes, replacePrefixes } from './subnetpool.ts'

const reply = (view: Record<string, unknown>) => ({ prefixes: view['prefixes'] })

function readBody(body: unknown): string[] {
  const prefixes = (body as { prefixes?: unknown } | undefined)?.prefixes
  if (prefixes === undefined) throw badResource('subnetpool', 'Invalid subnetpool prefix operation body')
  const reason = check.listOf(check.subnet)(prefixes)
  if (reason !== undefined) throw invalidInput(reason)
  return prefixes as string[]
}

export const addPrefixes: ResourceAction = {
  name: 'add_prefixes',
  async run(work, row: SubnetPoolRow, body) {
    const added = readBody(body)
    if (added.length === 0) return
    const before = await readPrefixes(work, row.id)
    await growPrefixes(work, row, before, [...before, ...added])
    await touch(work, 'subnetpools', row.id)
  },
  reply,
}

export const removePrefixes: ResourceAction = {
  name: 'remove_prefixes',
  async run(work, row: SubnetPoolRow, body) {
    const holes = readBody(body).map((text) => parseCidr(text)!)
    const before = (await readPrefixes(work, row.id)).map((text) => parseCidr(text)!)
    if (!holes.some((hole) => before.some((prefix) => overlaps(prefix, hole)))) return
    const subnets = await work.db
      .selectFrom('subnets')
      .select('cidr')
      .where('subnetpool_id', '=', row.id)
      .execute()
    const used = subnets.map((subnet) => parseCidr(subnet.cidr)!)
    if (used.some((cidr) => holes.some((hole) => overlaps(cidr, hole)))) {
      throw invalid(
        'IllegalSubnetPoolPrefixUpdate',
        'Illegal update to prefixes: One or more the prefixes to be removed is in use by a subnet..',
      )
    }
    const version = row.ip_version === 4 ? 4 : 6
    const left = subtract(before, holes).flatMap((range) => toPrefixes(version, range))
    await replacePrefixes(work, row.id, left)
    await touch(work, 'subnetpools', row.id)
  },
  reply,
}

/** The fewest prefixes that make up a range. */
function toPrefixes(version: 4 | 6, range: IpRange): string[] {
  const width = version === 4 ? 32 : 128
  const prefixes: string[] = []
  let { first } = range
  while (first <= range.last) {
    let length = width
    while (length > 0) {
      const size = 1n << BigInt(width - length + 1)
      if (first % size !== 0n || first + size - 1n > range.last) break
      length--
    }
    const cidr = parseCidr(`${formatIp(version, first)}/${length}`)!
    prefixes.push(formatCidr(cidr))
    first = cidr.last + 1n
  }
  return prefixes
}
