/** Gives ports their addresses. The primary key of `ipallocations` is what no two parallel requests can both have. */
import { randomBytes } from 'node:crypto'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { conflict, invalid, invalidInput, unknown } from '../errors.ts'
import { groupBy } from '../store/slices.ts'
import type { SubnetRow, Tables } from '../store/tables.ts'
import type { Work } from '../work.ts'
import { type Cidr, eui64, formatIp, hostRange, type IpRange, parseCidr, parseIp, within } from './ip.ts'
import { isAutoAddressed } from './modes.ts'

/** What a body's `fixed_ips` asks for. */
export interface WantedIp {
  subnet_id?: string
  ip_address?: string
}

export interface AllocatedIp {
  subnetId: string
  ipAddress: string
}

/** A subnet with the ranges that addresses are taken from. */
export interface PooledSubnet {
  row: SubnetRow
  cidr: Cidr
  pools: readonly IpRange[]
}

export interface AddressedPort {
  networkId: string
  macAddress: string
  deviceOwner: string
}

/** How many random addresses are looked at before all are. */
const probes = 8

const routerOwners = new Set(['network:router_interface', 'network:router_gateway'])

/** Null where a subnet has no pool. */
interface PoolOfSubnet extends SubnetRow {
  first_ip: string | null
  last_ip: string | null
}

// A subnet once for each of its pools. Sorted afterwards: MariaDB would write the texts to a table on its disk for that.
const readSubnets = statement((db: Db<Tables>, p: { networkId: string }) =>
  db
    .selectFrom('subnets')
    .leftJoin('ipallocationpools as pool', 'pool.subnet_id', 'subnets.id')
    .selectAll('subnets')
    .select(['pool.first_ip', 'pool.last_ip'])
    .where('subnets.network_id', '=', p.networkId),
)

/** The subnets of a network, those that serve this kind of port first. */
export async function subnetsFor(
  work: Work,
  networkId: string,
  deviceOwner: string,
): Promise<PooledSubnet[]> {
  const { rows } = await readSubnets(work.db, { networkId })
  if (rows.length === 0) return []
  const fitting = rows.filter((row) => {
    const types = JSON.parse(row.service_types) as string[]
    return types.length === 0 || types.includes(deviceOwner)
  })
  if (fitting.length === 0) {
    throw conflict(
      'IpAddressGenerationFailureNoMatchingSubnet',
      `No valid service subnet for the given device owner, network ${networkId}, service type ${deviceOwner}.`,
    )
  }
  const own = (row: SubnetRow) => (row.service_types === '[]' ? '1' : '0')
  const place = ({ row }: PooledSubnet) => `${own(row)} ${row.created_at} ${row.id}`
  const subnets = [...groupBy(fitting, (row) => row.id).values()].map(pooled)
  return subnets.sort((one, other) => (place(one) < place(other) ? -1 : 1))
}

function pooled(rows: readonly PoolOfSubnet[]): PooledSubnet {
  const row = rows[0]!
  return {
    row,
    cidr: parseCidr(row.cidr)!,
    pools: rows
      .flatMap(({ first_ip: first, last_ip: last }) =>
        first === null || last === null ? [] : { first: parseIp(first)!.value, last: parseIp(last)!.value },
      )
      .sort((one, other) => (one.first < other.first ? -1 : 1)),
  }
}

/** Chooses a new port's addresses: those wanted, or one of each IP version and all that SLAAC gives. */
export async function chooseAddresses(
  work: Work,
  port: AddressedPort,
  wanted: readonly WantedIp[] | undefined,
): Promise<AllocatedIp[]> {
  if (wanted !== undefined && wanted.length === 0) return []
  const subnets = await subnetsFor(work, port.networkId, port.deviceOwner)
  if (wanted !== undefined) return chooseWanted(work, port, wanted, subnets, [])
  const chosen: AllocatedIp[] = []
  const ipv4 = subnets.filter((subnet) => subnet.row.ip_version === 4)
  const stateful = subnets.filter((subnet) => subnet.row.ip_version === 6 && !isAutoAddressed(subnet.row))
  for (const group of [ipv4, stateful])
    if (group.length > 0) chosen.push(await chooseFromAny(work, port, group, chosen))
  for (const subnet of subnets) {
    if (isAutoAddressed(subnet.row)) chosen.push(automatic(subnet, port))
  }
  return chosen
}

/** Chooses addresses for `fixed_ips`; `others` are those that the port has or gets besides. */
export async function chooseWanted(
  work: Work,
  port: AddressedPort,
  wanted: readonly WantedIp[],
  subnets: readonly PooledSubnet[],
  others: readonly AllocatedIp[],
): Promise<AllocatedIp[]> {
  const chosen: AllocatedIp[] = []
  for (const one of wanted) {
    const subnet = await subnetOf(work, port, one, subnets)
    const { ip_address: address } = one
    if (isAutoAddressed(subnet.row) && !routerOwners.has(port.deviceOwner)) {
      const own = automatic(subnet, port)
      if (address !== undefined && address !== own.ipAddress) {
        throw invalid(
          'AllocationOnAutoAddressSubnet',
          `IPv6 address ${address} cannot be directly assigned to a port on subnet ${subnet.row.id} as the subnet is configured for automatic addresses`,
        )
      }
      // There is one such address, however often it is asked for.
      if (![...others, ...chosen].some((ip) => ip.ipAddress === own.ipAddress)) chosen.push(own)
    } else if (address === undefined) {
      chosen.push(await chooseFromAny(work, port, [subnet], [...others, ...chosen]))
    } else {
      await assertFree(work, subnet.row.id, address)
      chosen.push({ subnetId: subnet.row.id, ipAddress: address })
    }
  }
  return chosen
}

const automatic = (subnet: PooledSubnet, port: AddressedPort): AllocatedIp => ({
  subnetId: subnet.row.id,
  ipAddress: eui64(subnet.cidr, port.macAddress),
})

async function subnetOf(
  work: Work,
  port: AddressedPort,
  wanted: WantedIp,
  subnets: readonly PooledSubnet[],
): Promise<PooledSubnet> {
  if (subnets.length === 0) throw invalidInput('IP allocation requires subnets for network')
  const { subnet_id: subnetId, ip_address: address } = wanted
  if (subnetId !== undefined) {
    const subnet = subnets.find((candidate) => candidate.row.id === subnetId)
    if (subnet === undefined) {
      const there = work.db.selectFrom('subnets').select('id').where('id', '=', subnetId)
      if ((await there.executeTakeFirst()) === undefined) throw unknown.subnet(subnetId)
      throw invalidInput(
        `Failed to create port on network ${port.networkId}, because fixed_ips included invalid subnet ${subnetId}`,
      )
    }
    if (address !== undefined && !fits(subnet, address)) {
      throw invalid('InvalidIpForSubnet', `IP address ${address} is not a valid IP for the specified subnet.`)
    }
    return subnet
  }
  if (address === undefined) throw invalidInput('IP allocation requires subnet_id or ip_address')
  const subnet = subnets.find((candidate) => fits(candidate, address))
  if (subnet !== undefined) return subnet
  throw invalid(
    'InvalidIpForNetwork',
    `IP address ${address} is not a valid IP for any of the subnets on the specified network.`,
  )
}

/** A host of the subnet may have this address, in a pool or not. */
function fits(subnet: PooledSubnet, address: string): boolean {
  const ip = parseIp(address)
  return ip?.version === subnet.cidr.version && within(hostRange(subnet.cidr), ip.value)
}

async function assertFree(work: Work, subnetId: string, address: string): Promise<void> {
  const taken = await takenOf(work, subnetId, [address])
  if (taken.size === 0) return
  throw conflict('IpAddressAlreadyAllocated', `IP address ${address} already allocated in subnet ${subnetId}`)
}

async function chooseFromAny(
  work: Work,
  port: AddressedPort,
  subnets: readonly PooledSubnet[],
  others: readonly AllocatedIp[],
): Promise<AllocatedIp> {
  for (const subnet of subnets) {
    const address = await chooseFree(work, subnet, others)
    if (address !== undefined) return { subnetId: subnet.row.id, ipAddress: address }
  }
  throw conflict('IpAddressGenerationFailure', `No more IP addresses available on network ${port.networkId}.`)
}

/** Any free address of the pools: a few random ones are looked at first, all only when those are taken. */
async function chooseFree(
  work: Work,
  subnet: PooledSubnet,
  others: readonly AllocatedIp[],
): Promise<string | undefined> {
  const size = subnet.pools.reduce((sum, pool) => sum + pool.last - pool.first + 1n, 0n)
  if (size === 0n) return undefined
  const mine = new Set(others.filter((ip) => ip.subnetId === subnet.row.id).map((ip) => ip.ipAddress))
  const { version } = subnet.cidr
  const candidates = Array.from({ length: probes }, () =>
    formatIp(version, nth(subnet.pools, randomBelow(size))),
  )
  const taken = await takenOf(work, subnet.row.id, candidates)
  const free = candidates.find((address) => !taken.has(address) && !mine.has(address))
  if (free !== undefined) return free
  const all = await takenOf(work, subnet.row.id)
  // From a random place around, so that two who get here together seldom choose the same.
  const start = randomBelow(size)
  for (let step = 0n; step < size; step++) {
    const address = formatIp(version, nth(subnet.pools, (start + step) % size))
    if (!all.has(address) && !mine.has(address)) return address
  }
  return undefined
}

const readTaken = statement((db: Db<Tables>, p: { subnetId: string }) =>
  db.selectFrom('ipallocations').select('ip_address').where('subnet_id', '=', p.subnetId),
)

const readTakenAmong = statement((db: Db<Tables>, p: Record<string, string>) =>
  db
    .selectFrom('ipallocations')
    .select('ip_address')
    .where('subnet_id', '=', p['subnetId']!)
    .where(
      'ip_address',
      'in',
      Array.from({ length: probes }, (_, index) => p[`address${index}`]!),
    ),
)

/** Which addresses are in use; of these few only when given. */
async function takenOf(work: Work, subnetId: string, addresses?: readonly string[]): Promise<Set<string>> {
  const parameters: Record<string, string> = { subnetId }
  if (addresses === undefined) {
    const { rows } = await readTaken(work.db, { subnetId })
    return new Set(rows.map((row) => row.ip_address))
  }
  for (let index = 0; index < probes; index++)
    parameters[`address${index}`] = addresses[index] ?? addresses[0]!
  const { rows } = await readTakenAmong(work.db, parameters)
  return new Set(rows.map((row) => row.ip_address))
}

function nth(pools: readonly IpRange[], index: bigint): bigint {
  let left = index
  for (const pool of pools) {
    const size = pool.last - pool.first + 1n
    if (left < size) return pool.first + left
    left -= size
  }
  throw new Error('the index is within the pools')
}

function randomBelow(limit: bigint): bigint {
  if (limit <= 0xffff_ffffn) return BigInt(Math.floor(Math.random() * Number(limit)))
  return BigInt(`0x${randomBytes(20).toString('hex')}`) % limit
}
