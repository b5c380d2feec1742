/** Makes a subnet: its prefix (given, or out of a pool), its gateway and its allocation pools. */
import { newUuid } from '../../../base/ids.ts'
import { scheduleDhcp } from '../../dhcp/schedule.ts'
import { badResource, invalid, invalidInput, unknown } from '../../errors.ts'
import { tellAddresses } from '../../events/tell.ts'
import { addAutoAddresses } from '../../ipam/change-addresses.ts'
import { type Cidr, formatCidr, formatIp, overlaps, parseCidr } from '../../ipam/ip.ts'
import { isAutoAddressed } from '../../ipam/modes.ts'
import { poolsFor, replacePools, type WantedPool } from '../../ipam/pools.ts'
import { takePrefix } from '../../ipam/subnet-pools.ts'
import { defaultGateway, validateSubnet } from '../../ipam/validate-subnet.ts'
import { noteAddresses } from '../../ml2/note-addresses.ts'
import { sharedWith } from '../../store/rbac-policies.ts'
import { newStandard } from '../../store/standard.ts'
import type { SubnetPoolRow, SubnetRow } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'

export async function createSubnet(work: Work, values: Values, caller: Caller): Promise<string> {
  const networkId = values['network_id'] as string
  const id = newUuid()
  const pool = await poolOf(work, values, caller)
  const cidr = await prefixOf(work, values, pool)
  const gatewayIp =
    values['gateway_ip'] === undefined
      ? formatIp(cidr.version, defaultGateway(cidr))
      : (values['gateway_ip'] as string | null)
  const dnsNameservers = (values['dns_nameservers'] as string[] | undefined) ?? []
  const hostRoutes = (values['host_routes'] as SubnetRoute[] | undefined) ?? []
  const ipv6RaMode = (values['ipv6_ra_mode'] as string | undefined) ?? null
  const ipv6AddressMode = (values['ipv6_address_mode'] as string | undefined) ?? null
  const ipVersion = values['ip_version'] as number
  const enableDhcp = values['enable_dhcp'] as boolean
  const settings = { ipVersion, cidr, gatewayIp, enableDhcp, dhcpIsNew: true, ipv6RaMode, ipv6AddressMode }
  validateSubnet({ ...settings, dnsNameservers, hostRoutes }, work.options)
  await assertNoOverlap(work, networkId, cidr, pool)
  const pools = poolsFor(cidr, gatewayIp, values['allocation_pools'] as WantedPool[] | undefined)
  const row: SubnetRow = {
    ...newStandard(work, id, values['project_id'] as string, values['description']),
    name: values['name'] as string,
    network_id: networkId,
    subnetpool_id: pool?.id ?? null,
    ip_version: ipVersion,
    cidr: formatCidr(cidr),
    gateway_ip: gatewayIp,
    enable_dhcp: Number(enableDhcp),
    ipv6_ra_mode: ipv6RaMode,
    ipv6_address_mode: ipv6AddressMode,
    dns_nameservers: JSON.stringify(dnsNameservers),
    host_routes: JSON.stringify(hostRoutes),
    service_types: JSON.stringify(values['service_types'] ?? []),
  }
  await work.db.insertInto('subnets').values(row).execute()
  await replacePools(work, id, cidr, pools)
  if (isAutoAddressed(row)) {
    const ports = await addAutoAddresses(work, networkId, id)
    await noteAddresses(work, ports)
    for (const port of ports) await tellAddresses(work, port)
  }
  if (enableDhcp) await scheduleDhcp(work, networkId)
  work.changes.networks.add(networkId)
  return id
}

interface SubnetRoute {
  destination: string
  nexthop: string
}

async function poolOf(work: Work, values: Values, caller: Caller): Promise<SubnetPoolRow | undefined> {
  const id = (values['subnetpool_id'] as string | null | undefined) ?? undefined
  const useDefault = values['use_default_subnetpool'] === true
  if (useDefault && id !== undefined) {
    throw badResource('subnets', 'subnetpool_id and use_default_subnetpool cannot both be specified')
  }
  if (id !== undefined) {
    const visible = sharedWith('subnetpools.id', caller.projectId, ['access_as_shared'])
    let query = work.db.selectFrom('subnetpools').selectAll().where('id', '=', id)
    if (!caller.admin)
      query = query.where((eb) => eb.or([eb('project_id', '=', caller.projectId ?? ''), visible]))
    const pool = await query.executeTakeFirst()
    if (pool === undefined) throw unknown.subnetpool(id)
    return pool
  }
  if (!useDefault) return undefined
  const version = values['ip_version'] as number
  const pool = await work.db
    .selectFrom('subnetpools')
    .selectAll()
    .where('is_default', '=', 1)
    .where('ip_version', '=', version)
    .executeTakeFirst()
  if (pool === undefined) throw badResource('subnets', `No default subnetpool found for IPv${version}`)
  return pool
}

async function prefixOf(work: Work, values: Values, pool: SubnetPoolRow | undefined): Promise<Cidr> {
  const text = (values['cidr'] as string | null | undefined) ?? undefined
  const prefixLength = values['prefixlen'] as number | undefined
  if (text !== undefined && prefixLength !== undefined)
    throw badResource('subnets', 'cidr and prefixlen must not be supplied together')
  const cidr = text === undefined ? undefined : parseCidr(text)!
  if (pool === undefined) {
    if (cidr === undefined)
      throw badResource('subnets', 'a subnetpool must be specified in the absence of a cidr')
    return cidr
  }
  if (cidr === undefined && values['allocation_pools'] !== undefined)
    throw badResource('subnets', 'allocation_pools allowed only for specific subnet requests.')
  const ipVersion = values['ip_version'] as number
  const projectId = values['project_id'] as string
  return takePrefix(work, pool, { cidr, prefixLength, ipVersion, projectId })
}

// Two subnets of one network can't share addresses, and all of a family come out of one pool or none.
async function assertNoOverlap(
  work: Work,
  networkId: string,
  cidr: Cidr,
  pool: SubnetPoolRow | undefined,
): Promise<void> {
  // Writing the network's row first makes others who add a subnet to it wait.
  const locked = await work.db
    .updateTable('networks')
    .set((eb) => ({ mtu: eb.ref('mtu') }))
    .where('id', '=', networkId)
    .executeTakeFirst()
  if (locked.numUpdatedRows === 0n) throw unknown.network(networkId)
  const others = await work.db
    .selectFrom('subnets')
    .select(['cidr', 'ip_version', 'subnetpool_id'])
    .where('network_id', '=', networkId)
    .execute()
  for (const other of others) {
    const range = parseCidr(other.cidr)!
    if (range.version !== cidr.version) continue
    if (overlaps(range, cidr)) {
      throw invalidInput(
        `Requested subnet with cidr: ${formatCidr(cidr)} for network: ${networkId} overlaps with another subnet`,
      )
    }
    if (other.subnetpool_id !== (pool?.id ?? null)) {
      const scope = await scopeOf(work, other.subnetpool_id)
      if (scope !== null && scope === pool?.address_scope_id) continue
      throw invalid(
        'NetworkSubnetPoolAffinityError',
        'Subnets hosted on the same network must be allocated from the same subnet pool.',
      )
    }
  }
}

async function scopeOf(work: Work, poolId: string | null): Promise<string | null> {
  if (poolId === null) return null
  const row = await work.db
    .selectFrom('subnetpools')
    .select('address_scope_id')
    .where('id', '=', poolId)
    .executeTakeFirst()
  return row?.address_scope_id ?? null
}
