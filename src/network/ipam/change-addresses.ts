/** What becomes of a port's addresses when others are asked for, its MAC changes, or a subnet begins to use SLAAC. */
import { allocationsOf, deleteAllocations, insertAllocations } from '../store/allocations.ts'
import type { AllocationRow, PortRow } from '../store/tables.ts'
import type { Work } from '../work.ts'
import { type AllocatedIp, chooseWanted, type PooledSubnet, subnetsFor, type WantedIp } from './allocate.ts'
import { eui64 } from './ip.ts'
import { isAutoAddressed } from './modes.ts'

const addressed = (port: PortRow) => ({
  networkId: port.network_id,
  macAddress: port.mac_address,
  deviceOwner: port.device_owner,
})

/** Makes these the addresses of a port; those it has already are kept. True when any changed. */
export async function changeAddresses(
  work: Work,
  port: PortRow,
  wanted: readonly WantedIp[],
): Promise<boolean> {
  const before = (await allocationsOf(work.db, [port.id])).get(port.id) ?? []
  const subnets =
    wanted.length > 0 || before.length > 0 ? await subnetsFor(work, port.network_id, port.device_owner) : []
  const { kept, added } = matchKept(before, wanted)
  // Automatic addresses stay unless the port leaves all subnets' lists by asking for none at all.
  const automatic = before.filter(
    (row) => !kept.includes(row) && wanted.length > 0 && isAutomatic(row, subnets, port),
  )
  const stay = [...kept, ...automatic]
  const removed = before.filter((row) => !stay.includes(row))
  await deleteAllocations(work.db, port.id, removed.map(toAllocated))
  const chosen = await chooseWanted(work, addressed(port), added, subnets, stay.map(toAllocated))
  const fresh = chosen.filter((ip) => !stay.some((row) => row.ip_address === ip.ipAddress))
  const position = Math.max(-1, ...before.map((row) => row.position)) + 1
  await insertAllocations(work.db, { id: port.id, networkId: port.network_id }, fresh, position)
  return removed.length > 0 || fresh.length > 0
}

const toAllocated = (row: AllocationRow): AllocatedIp => ({
  subnetId: row.subnet_id,
  ipAddress: row.ip_address,
})

// First those that name their address, then those that name a subnet: any address there will do.
function matchKept(
  before: readonly AllocationRow[],
  wanted: readonly WantedIp[],
): { kept: AllocationRow[]; added: WantedIp[] } {
  const left = [...before]
  const kept: AllocationRow[] = []
  const take = (fits: (row: AllocationRow) => boolean): boolean => {
    const index = left.findIndex(fits)
    if (index < 0) return false
    kept.push(...left.splice(index, 1))
    return true
  }
  const bySubnet: WantedIp[] = []
  const added: WantedIp[] = []
  for (const one of wanted) {
    if (one.ip_address === undefined) bySubnet.push(one)
    else if (
      !take((row) => row.ip_address === one.ip_address && [undefined, row.subnet_id].includes(one.subnet_id))
    )
      added.push(one)
  }
  for (const one of bySubnet) if (!take((row) => row.subnet_id === one.subnet_id)) added.push(one)
  return { kept, added }
}

const isAutomatic = (row: AllocationRow, subnets: readonly PooledSubnet[], port: PortRow): boolean => {
  const subnet = subnets.find((candidate) => candidate.row.id === row.subnet_id)
  return (
    subnet !== undefined &&
    isAutoAddressed(subnet.row) &&
    row.ip_address === eui64(subnet.cidr, port.mac_address)
  )
}

/** After the MAC changed: the addresses that are made of it change too. */
export async function renewAutoAddresses(work: Work, port: PortRow): Promise<boolean> {
  const before = (await allocationsOf(work.db, [port.id])).get(port.id) ?? []
  const subnets = await subnetsFor(work, port.network_id, port.device_owner)
  let changed = false
  for (const row of before) {
    const subnet = subnets.find((candidate) => candidate.row.id === row.subnet_id)
    if (subnet === undefined || !isAutoAddressed(subnet.row)) continue
    await deleteAllocations(work.db, port.id, [toAllocated(row)])
    const ip = { subnetId: row.subnet_id, ipAddress: eui64(subnet.cidr, port.mac_address) }
    await insertAllocations(work.db, { id: port.id, networkId: port.network_id }, [ip], row.position)
    changed = true
  }
  return changed
}

/** A new subnet gives automatic addresses: every port of the network gets one. Returns the ports. */
export async function addAutoAddresses(work: Work, networkId: string, subnetId: string): Promise<PortRow[]> {
  const ports = await work.db
    .selectFrom('ports')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('device_owner', 'not like', 'network:router%')
    .execute()
  const changed: PortRow[] = []
  for (const port of ports) {
    const subnets = await subnetsFor(work, networkId, port.device_owner)
    const subnet = subnets.find((candidate) => candidate.row.id === subnetId)
    if (subnet === undefined) continue
    const before = (await allocationsOf(work.db, [port.id])).get(port.id) ?? []
    const ip = { subnetId, ipAddress: eui64(subnet.cidr, port.mac_address) }
    await insertAllocations(work.db, { id: port.id, networkId }, [ip], before.length)
    changed.push(port)
  }
  return changed
}
