/** Allocation pools: the parts of a subnet that addresses are taken from. */
import { newUuid } from '../../base/ids.ts'
import { conflict, invalid } from '../errors.ts'
import type { Work } from '../work.ts'
import {
  type Cidr,
  formatCidr,
  formatIp,
  hostRange,
  type IpRange,
  overlaps,
  parseIp,
  subtract,
  within,
} from './ip.ts'

export interface WantedPool {
  start: string
  end: string
}

const show = (pool: WantedPool): string => `${pool.start}-${pool.end}`

/** The pools of a body, or all addresses that hosts may have but the gateway's. */
export function poolsFor(
  cidr: Cidr,
  gatewayIp: string | null,
  wanted: readonly WantedPool[] | undefined,
): IpRange[] {
  const gateway = gatewayIp === null ? undefined : parseIp(gatewayIp)!
  if (wanted === undefined) {
    const hosts = [hostRange(cidr)]
    if (cidr.first === cidr.last || gateway === undefined) return hosts
    return subtract(hosts, [{ first: gateway.value, last: gateway.value }])
  }
  const pools = checkedPools(cidr, wanted)
  assertGatewayOutside(cidr, gatewayIp, pools)
  return pools
}

function checkedPools(cidr: Cidr, wanted: readonly WantedPool[]): IpRange[] {
  const hosts = hostRange(cidr)
  const pools: IpRange[] = []
  for (const [index, pool] of wanted.entries()) {
    const start = parseIp(pool.start)!
    const end = parseIp(pool.end)!
    if (start.version !== cidr.version || end.version !== cidr.version || end.value < start.value)
      throw invalid('InvalidAllocationPool', `The allocation pool ${show(pool)} is not valid.`)
    if (start.value < hosts.first || end.value > hosts.last) {
      throw invalid(
        'OutOfBoundsAllocationPool',
        `The allocation pool ${show(pool)} spans beyond the subnet cidr ${formatCidr(cidr)}.`,
      )
    }
    const range = { first: start.value, last: end.value }
    const other = pools.findIndex((known) => overlaps(known, range))
    if (other >= 0) {
      throw conflict(
        'OverlappingAllocationPools',
        `Found overlapping allocation pools: ${show(wanted[other]!)} ${show(wanted[index]!)} for subnet ${formatCidr(cidr)}.`,
      )
    }
    pools.push(range)
  }
  return pools
}

/** An address that is handed out can't be the gateway's. */
export function assertGatewayOutside(cidr: Cidr, gatewayIp: string | null, pools: readonly IpRange[]): void {
  if (gatewayIp === null) return
  const gateway = parseIp(gatewayIp)!
  const pool = pools.find((range) => within(range, gateway.value))
  if (pool === undefined) return
  const text = `${formatIp(cidr.version, pool.first)}-${formatIp(cidr.version, pool.last)}`
  throw conflict(
    'GatewayConflictWithAllocationPools',
    `Gateway ip ${gatewayIp} conflicts with allocation pool ${text}.`,
  )
}

/** Makes these the pools of a subnet. */
export async function replacePools(
  work: Work,
  subnetId: string,
  cidr: Cidr,
  pools: readonly IpRange[],
): Promise<void> {
  await work.db.deleteFrom('ipallocationpools').where('subnet_id', '=', subnetId).execute()
  const rows = pools.map((pool) => ({
    id: newUuid(),
    subnet_id: subnetId,
    first_ip: formatIp(cidr.version, pool.first),
    last_ip: formatIp(cidr.version, pool.last),
  }))
  if (rows.length > 0) await work.db.insertInto('ipallocationpools').values(rows).execute()
}

export async function readPools(work: Work, subnetId: string): Promise<IpRange[]> {
  const rows = await work.db
    .selectFrom('ipallocationpools')
    .selectAll()
    .where('subnet_id', '=', subnetId)
    .execute()
  return rows.map((row) => ({ first: parseIp(row.first_ip)!.value, last: parseIp(row.last_ip)!.value }))
}
