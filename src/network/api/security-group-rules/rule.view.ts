import { formatCidr, parseCidr } from '../../ipam/ip.ts'
import { viewStandard } from '../../store/standard.ts'
import type { SecurityGroupRuleRow } from '../../store/tables.ts'
import type { Values } from '../attributes.ts'

export const viewRules = (rows: readonly SecurityGroupRuleRow[]): Values[] =>
  rows.map((row) => ({
    id: row.id,
    ...viewStandard(row),
    security_group_id: row.security_group_id,
    ethertype: row.ethertype,
    direction: row.direction,
    protocol: row.protocol,
    port_range_min: row.port_range_min,
    port_range_max: row.port_range_max,
    remote_ip_prefix: row.remote_ip_prefix,
    remote_address_group_id: row.remote_address_group_id,
    normalized_cidr: row.remote_ip_prefix === null ? null : formatCidr(parseCidr(row.remote_ip_prefix)!),
    remote_group_id: row.remote_group_id,
  }))
