import type { Db } from '../../../base/db/database.ts'
import { parseIp } from '../../ipam/ip.ts'
import { groupBy, inSlices } from '../../store/slices.ts'
import { viewStandard } from '../../store/standard.ts'
import type { SubnetRow, Tables } from '../../store/tables.ts'
import { tagsOf } from '../../store/tags.ts'
import type { Values } from '../attributes.ts'

/** Subnets with their pools and tags. */
export async function viewSubnets(db: Db<Tables>, rows: readonly SubnetRow[]): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const pools = groupBy(
    await inSlices(ids, (slice) =>
      db.selectFrom('ipallocationpools').selectAll().where('subnet_id', 'in', slice).execute(),
    ),
    (pool) => pool.subnet_id,
  )
  const tags = await tagsOf(db, ids)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    ...viewStandard(row),
    network_id: row.network_id,
    ip_version: row.ip_version,
    subnetpool_id: row.subnetpool_id,
    enable_dhcp: row.enable_dhcp === 1,
    ipv6_ra_mode: row.ipv6_ra_mode,
    ipv6_address_mode: row.ipv6_address_mode,
    gateway_ip: row.gateway_ip,
    cidr: row.cidr,
    allocation_pools: (pools.get(row.id) ?? [])
      .map((pool) => ({ start: pool.first_ip, end: pool.last_ip }))
      .sort((a, b) => (parseIp(a.start)!.value < parseIp(b.start)!.value ? -1 : 1)),
    host_routes: JSON.parse(row.host_routes),
    dns_nameservers: JSON.parse(row.dns_nameservers),
    service_types: JSON.parse(row.service_types),
    tags: tags.get(row.id) ?? [],
  }))
}
