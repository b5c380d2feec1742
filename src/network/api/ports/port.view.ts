import type { Db } from '../../../base/db/database.ts'
import { allocationsOf } from '../../store/allocations.ts'
import { readAddressPairs, readBindings, readDhcpOptions } from '../../store/port-parts.ts'
import { groupsOfPorts } from '../../store/security-groups.ts'
import { groupBy } from '../../store/slices.ts'
import { viewStandard } from '../../store/standard.ts'
import type { PortRow, Tables } from '../../store/tables.ts'
import { tagsOf } from '../../store/tags.ts'
import type { Values } from '../attributes.ts'
import { isAsked, type ViewContext } from '../resource.ts'

const bindingAttributes = ['vnic_type', 'profile', 'host_id', 'vif_type', 'vif_details'].map(
  (name) => `binding:${name}`,
)

/** Ports with their addresses, groups, bindings and the rest: seven reads at most, however many ports. */
export async function viewPorts(
  db: Db<Tables>,
  rows: readonly PortRow[],
  context: ViewContext,
): Promise<Values[]> {
  const ids = rows.map((row) => row.id)
  const idsFor = (...names: readonly string[]) => (isAsked(context, ...names) ? ids : [])
  const ips = await allocationsOf(db, idsFor('fixed_ips', 'dns_assignment'))
  const groups = await groupsOfPorts(db, idsFor('security_groups'))
  const bindings = await readBindings(db, idsFor(...bindingAttributes))
  const bindingOf = new Map(bindings.map((binding) => [binding.port_id, binding]))
  const pairs = groupBy(await readAddressPairs(db, idsFor('allowed_address_pairs')), (pair) => pair.port_id)
  const options = groupBy(await readDhcpOptions(db, idsFor('extra_dhcp_opts')), (option) => option.port_id)
  const tags = await tagsOf(db, idsFor('tags'))
  return rows.map((row) => {
    const binding = bindingOf.get(row.id)
    const addresses = ips.get(row.id) ?? []
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
      fixed_ips: addresses.map((ip) => ({ subnet_id: ip.subnet_id, ip_address: ip.ip_address })),
      allowed_address_pairs: (pairs.get(row.id) ?? []).map((pair) => ({
        mac_address: pair.mac_address,
        ip_address: pair.ip_address,
      })),
      extra_dhcp_opts: (options.get(row.id) ?? []).map((option) => ({
        opt_name: option.opt_name,
        opt_value: option.opt_value,
        ip_version: option.ip_version,
      })),
      security_groups: (groups.get(row.id) ?? []).sort(),
      port_security_enabled: row.port_security_enabled === 1,
      'binding:vnic_type': binding?.vnic_type ?? 'normal',
      'binding:profile': binding === undefined ? {} : JSON.parse(binding.profile),
      'binding:host_id': binding?.host ?? '',
      'binding:vif_type': binding?.vif_type ?? 'unbound',
      'binding:vif_details': binding === undefined ? {} : JSON.parse(binding.vif_details),
      dns_name: row.dns_name,
      dns_assignment: addresses.map((ip) => dnsAssignment(row.dns_name, ip.ip_address, context)),
      ip_allocation: row.ip_allocation,
      numa_affinity_policy: row.numa_affinity_policy,
      tags: tags.get(row.id) ?? [],
    }
  })
}

/** The name that an address gets: the port's own, or one made of the address. */
function dnsAssignment(dnsName: string, address: string, context: ViewContext): Values {
  const domain = `${context.options.dnsDomain.replace(/\.$/, '')}.`
  const hostname = dnsName === '' ? `host-${address.replaceAll(/[.:]/g, '-')}` : dnsName
  const fqdn = hostname.endsWith('.') ? hostname : `${hostname}.${domain}`
  return { ip_address: address, hostname, fqdn }
}
