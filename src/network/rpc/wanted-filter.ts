/** The security groups of a host's ports, and the members of the groups that their rules name. */
import type { Kysely } from 'kysely'
import { formatCidr, parseCidr } from '../ipam/ip.ts'
import { byIds } from '../store/by-ids.ts'
import { groupsById, rulesOf } from '../store/security-groups.ts'
import { groupBy, inSlices } from '../store/slices.ts'
import type { SecurityGroupRuleRow, Tables } from '../store/tables.ts'
import type { WantedL2, WantedPort } from './agents.ts'
import type { SecurityGroupRule } from './rules.ts'

export async function wantedFilter(
  db: Kysely<Tables>,
  ports: readonly WantedPort[],
): Promise<Pick<WantedL2, 'securityGroups' | 'remoteGroups'>> {
  const groupIds = [...new Set(ports.flatMap((port) => port.securityGroupIds))]
  const groups = await groupsById(db, groupIds)
  const rules = await rulesOf(db, groupIds)
  const all = [...rules.values()].flat()
  const addresses = await addressesOf(db, all)
  const securityGroups: WantedL2['securityGroups'] = {}
  for (const group of groups) {
    const own = (rules.get(group.id) ?? []).flatMap((rule) => expand(rule, addresses))
    securityGroups[group.id] = { stateful: group.stateful === 1, rules: own }
  }
  const remoteIds = [...new Set(all.flatMap((rule) => rule.remote_group_id ?? []))]
  return { securityGroups, remoteGroups: await membersOf(db, remoteIds) }
}

/** One rule for each address of the address group it names, if any. */
function expand(
  row: SecurityGroupRuleRow,
  addresses: ReadonlyMap<string, readonly string[]>,
): SecurityGroupRule[] {
  const rule: SecurityGroupRule = {
    id: row.id,
    direction: row.direction as SecurityGroupRule['direction'],
    ethertype: row.ethertype as SecurityGroupRule['ethertype'],
    protocol: row.protocol,
    portRangeMin: row.port_range_min,
    portRangeMax: row.port_range_max,
    remoteIpPrefix: row.remote_ip_prefix === null ? null : formatCidr(parseCidr(row.remote_ip_prefix)!),
    remoteGroupId: row.remote_group_id,
  }
  if (row.remote_address_group_id === null) return [rule]
  const version = row.ethertype === 'IPv4' ? 4 : 6
  return (addresses.get(row.remote_address_group_id) ?? [])
    .filter((address) => parseCidr(address)?.version === version)
    .map((address) => ({ ...rule, remoteIpPrefix: formatCidr(parseCidr(address)!) }))
}

async function addressesOf(
  db: Kysely<Tables>,
  rules: readonly SecurityGroupRuleRow[],
): Promise<Map<string, string[]>> {
  const ids = [...new Set(rules.flatMap((rule) => rule.remote_address_group_id ?? []))]
  const rows = await inSlices(ids, (slice) =>
    db.selectFrom('address_associations').selectAll().where('address_group_id', 'in', slice).execute(),
  )
  const groups = groupBy(rows, (row) => row.address_group_id)
  return new Map([...groups].map(([id, of]) => [id, of.map((row) => row.address)]))
}

const readMembers = byIds((db, groupIds) =>
  db
    .selectFrom('securitygroupportbindings')
    .innerJoin('ipallocations', 'ipallocations.port_id', 'securitygroupportbindings.port_id')
    .select(['securitygroupportbindings.security_group_id', 'ipallocations.ip_address'])
    .where('securitygroupportbindings.security_group_id', 'in', groupIds)
    .union(
      db
        .selectFrom('securitygroupportbindings')
        .innerJoin('allowedaddresspairs', 'allowedaddresspairs.port_id', 'securitygroupportbindings.port_id')
        .select(['securitygroupportbindings.security_group_id', 'allowedaddresspairs.ip_address'])
        .where('securitygroupportbindings.security_group_id', 'in', groupIds),
    ),
)

/** The addresses of all ports in these groups, with those that they may use besides. */
async function membersOf(db: Kysely<Tables>, groupIds: readonly string[]): Promise<WantedL2['remoteGroups']> {
  const members: WantedL2['remoteGroups'] = {}
  for (const id of groupIds) members[id] = { ipv4: [], ipv6: [] }
  for (const row of await readMembers(db, groupIds)) {
    const family = row.ip_address.includes(':') ? 'ipv6' : 'ipv4'
    const width = family === 'ipv6' ? 128 : 32
    const cidr = row.ip_address.includes('/') ? row.ip_address : `${row.ip_address}/${width}`
    members[row.security_group_id]![family].push(cidr)
  }
  return members
}
