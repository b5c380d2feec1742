import type { Db } from '../../../base/db/database.ts'
import { type PartKind, partsOfPorts, type ShownParts } from '../../store/port-parts.ts'
import { viewStandard } from '../../store/standard.ts'
import type { PortRow, Tables } from '../../store/tables.ts'
import type { Values } from '../attributes.ts'
import { isAsked, type ViewContext } from '../resource.ts'

/** Attributes that each kind of part is shown in. */
const shownIn: Readonly<Record<PartKind, readonly string[]>> = {
  address: ['fixed_ips', 'dns_assignment'],
  group: ['security_groups'],
  pair: ['allowed_address_pairs'],
  option: ['extra_dhcp_opts'],
  binding: ['vnic_type', 'profile', 'host_id', 'vif_type', 'vif_details'].map((name) => `binding:${name}`),
  tag: ['tags'],
}
const partKinds = Object.keys(shownIn) as PartKind[]

/** Ports with their addresses, groups, bindings and the rest: one read besides, however many ports. */
export async function viewPorts(
  db: Db<Tables>,
  rows: readonly PortRow[],
  context: ViewContext,
): Promise<Values[]> {
  const partsOf = await partsOfPorts(
    db,
    rows.map((row) => row.id),
    partKinds.filter((kind) => isAsked(context, ...shownIn[kind])),
  )
  return rows.map((row) => viewPort(row, partsOf(row.id), context))
}

export function viewPort(row: PortRow, parts: ShownParts, context: ViewContext): Values {
  const { addresses, groups, pairs, options, binding, tags } = parts
  return {
    id: row.id,
    name: row.name,
    ...viewStandard(row),
    network_id: row.network_id,
    mac_address: row.mac_address,
    admin_state_up: row.admin_state_up === 1,
    status: row.status,
    device_id: row.device_id,
    device_owner: row.device_owner,
    fixed_ips: addresses.map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.ipAddress })),
    allowed_address_pairs: pairs,
    extra_dhcp_opts: options,
    security_groups: groups,
    port_security_enabled: row.port_security_enabled === 1,
    'binding:vnic_type': binding?.vnic_type ?? 'normal',
    'binding:profile': binding === undefined ? {} : JSON.parse(binding.profile),
    'binding:host_id': binding?.host ?? '',
    'binding:vif_type': binding?.vif_type ?? 'unbound',
    'binding:vif_details': binding === undefined ? {} : JSON.parse(binding.vif_details),
    dns_name: row.dns_name,
    dns_assignment: addresses.map((ip) => dnsAssignment(row.dns_name, ip.ipAddress, context)),
    ip_allocation: row.ip_allocation,
    numa_affinity_policy: row.numa_affinity_policy,
    tags,
  }
}

/** The name that an address gets: the port's own, or one made of the address. */
function dnsAssignment(dnsName: string, address: string, context: ViewContext): Values {
  const domain = `${context.options.dnsDomain.replace(/\.$/, '')}.`
  const hostname = dnsName === '' ? `host-${address.replaceAll(/[.:]/g, '-')}` : dnsName
  const fqdn = hostname.endsWith('.') ? hostname : `${hostname}.${domain}`
  return { ip_address: address, hostname, fqdn }
}
