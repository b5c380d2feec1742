/** Subnets (`/v2.0/subnets`). */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import { scheduleDhcp } from '../../dhcp/schedule.ts'
import { conflict, subnetInUse, unknown } from '../../errors.ts'
import { parseCidr } from '../../ipam/ip.ts'
import { isAutoAddressed } from '../../ipam/modes.ts'
import { assertGatewayOutside, poolsFor, readPools, replacePools, type WantedPool } from '../../ipam/pools.ts'
import { validateSubnet } from '../../ipam/validate-subnet.ts'
import { noteAddresses } from '../../ml2/note-addresses.ts'
import { sharedWith } from '../../store/rbac-policies.ts'
import type { SubnetRow, Tables } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'
import { toBoolean } from '../converters.ts'
import { networkFacts } from '../network-facts.ts'
import type { Resource } from '../resource.ts'
import { createSubnet } from './create-subnet.ts'
import { subnetAttributes } from './subnet.attributes.ts'
import { viewSubnets } from './subnet.view.ts'

export function subnetResource(): Resource<SubnetRow> {
  return {
    name: 'subnet',
    collection: 'subnets',
    path: 'subnets',
    table: 'subnets',
    counted: true,
    standard: true,
    tagged: true,
    attributes: subnetAttributes,
    unknown: unknown.subnet,
    filters: {
      shared: (values, caller) => {
        const shared = sharedWith('subnets.network_id', caller.projectId, ['access_as_shared'])
        return values.map(toBoolean).includes(true) ? shared : sql<boolean>`not (${shared})`
      },
    },
    visible: (caller) => {
      const shared = sharedWith('subnets.network_id', caller.projectId, ['access_as_shared'])
      return sql<boolean>`(subnets.project_id = ${caller.projectId} or ${shared})`
    },
    view: viewSubnets,
    facts: (db: Db<Tables>, subnets: readonly Values[], caller: Caller) => networkFacts(db, subnets, caller),
    create: createSubnet,
    update: updateSubnet,
    remove: deleteSubnet,
  }
}

async function updateSubnet(work: Work, row: SubnetRow, values: Values): Promise<void> {
  const cidr = parseCidr(row.cidr)!
  const gatewayIp =
    values['gateway_ip'] === undefined ? row.gateway_ip : (values['gateway_ip'] as string | null)
  const enableDhcp =
    values['enable_dhcp'] === undefined ? row.enable_dhcp === 1 : values['enable_dhcp'] === true
  const dnsNameservers =
    (values['dns_nameservers'] as string[] | undefined) ?? JSON.parse(row.dns_nameservers)
  const hostRoutes = (values['host_routes'] as [] | undefined) ?? JSON.parse(row.host_routes)
  validateSubnet(
    {
      id: row.id,
      ipVersion: row.ip_version,
      cidr,
      gatewayIp,
      enableDhcp,
      dhcpIsNew: row.enable_dhcp === 0,
      ipv6RaMode: row.ipv6_ra_mode,
      ipv6AddressMode: row.ipv6_address_mode,
      dnsNameservers,
      hostRoutes,
    },
    work.options,
  )
  if (gatewayIp !== row.gateway_ip) await assertGatewayUnused(work, row)
  const pools = values['allocation_pools'] as WantedPool[] | undefined
  if (pools !== undefined) await replacePools(work, row.id, cidr, poolsFor(cidr, gatewayIp, pools))
  else if (gatewayIp !== row.gateway_ip) assertGatewayOutside(cidr, gatewayIp, await readPools(work, row.id))
  const set: Partial<SubnetRow> = {
    gateway_ip: gatewayIp,
    enable_dhcp: Number(enableDhcp),
    dns_nameservers: JSON.stringify(dnsNameservers),
    host_routes: JSON.stringify(hostRoutes),
  }
  if (values['name'] !== undefined) set.name = values['name'] as string
  if (values['description'] !== undefined) set.description = values['description'] as string
  if (values['service_types'] !== undefined) set.service_types = JSON.stringify(values['service_types'])
  await work.db.updateTable('subnets').set(set).where('id', '=', row.id).execute()
  if (enableDhcp) await scheduleDhcp(work, row.network_id)
  work.changes.networks.add(row.network_id)
}

async function assertGatewayUnused(work: Work, row: SubnetRow): Promise<void> {
  if (row.gateway_ip === null) return
  const user = await work.db
    .selectFrom('ipallocations')
    .innerJoin('ports', 'ports.id', 'ipallocations.port_id')
    .select('ports.id')
    .where('ipallocations.subnet_id', '=', row.id)
    .where('ipallocations.ip_address', '=', row.gateway_ip)
    .where('ports.device_owner', 'like', 'network:router%')
    .executeTakeFirst()
  if (user === undefined) return
  throw conflict(
    'GatewayIpInUse',
    `Current gateway ip ${row.gateway_ip} already in use by port ${user.id}. Unable to update.`,
  )
}

async function deleteSubnet(work: Work, row: SubnetRow): Promise<void> {
  let query = work.db
    .selectFrom('ipallocations')
    .innerJoin('ports', 'ports.id', 'ipallocations.port_id')
    .select('ports.id')
    .where('ipallocations.subnet_id', '=', row.id)
  // Addresses that ports made themselves go with the subnet; a router's interface does not.
  query = isAutoAddressed(row)
    ? query.where('ports.device_owner', 'like', 'network:router%')
    : query.where('ports.device_owner', '<>', 'network:dhcp')
  if ((await query.executeTakeFirst()) !== undefined)
    throw subnetInUse(row.id, 'One or more ports have an IP allocation from this subnet.')
  const addressed = await work.db
    .selectFrom('ipallocations')
    .select(['port_id as id', 'network_id'])
    .distinct()
    .where('subnet_id', '=', row.id)
    .execute()
  await noteAddresses(work, addressed)
  await work.db.deleteFrom('ipallocations').where('subnet_id', '=', row.id).execute()
  await work.db.deleteFrom('subnets').where('id', '=', row.id).execute()
  work.changes.networks.add(row.network_id)
}
