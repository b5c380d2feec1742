/** Security groups as a host's packet filter needs them, and the members of those that rules name. */
import type { Kysely } from 'kysely'
import { formatCidr, parseCidr } from '../ipam/ip.ts'
import { byIds } from '../store/by-ids.ts'
import { groupsById, rulesOf } from '../store/security-groups.ts'
import { groupBy, inSlices } from '../store/slices.ts'
import type { SecurityGroupRuleRow, Tables } from '../store/tables.ts'
import type { Member, WantedL2, WantedPort } from './agents.ts'
import type { SecurityGroupRule } from './rules.ts'

/** The rules of these groups, and which groups the rules name. */
export async function wantedGroups(
  db: Kysely<Tables>,
  groupIds: readonly string[],
): Promise<{ securityGroups: WantedL2['securityGroups']; remoteGroupIds: string[] }> {
  const groups = await groupsById(db, groupIds)
  const rules = await rulesOf(db, groupIds)
  const all = [...rules.values()].flat()
  const addresses = await addressesOf(db, all)
  const securityGroups: WantedL2['securityGroups'] = {}
  for (const group of groups) {
    const own = (rules.get(group.id) ?? []).flatMap((rule) => expand(rule, addresses))
    securityGroups[group.id] = { stateful: group.stateful === 1, rules: own }
  }
  return { securityGroups, remoteGroupIds: [...new Set(all.flatMap((rule) => rule.remote_group_id ?? []))] }
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

const membersBy = (column: 'security_group_id' | 'port_id') =>
  byIds((db, ids) =>
    db
      .selectFrom('securitygroupportbindings as m')
      .innerJoin('ipallocations', 'ipallocations.port_id', 'm.port_id')
      .select(['m.security_group_id', 'm.port_id', 'ipallocations.ip_address'])
      .where(`m.${column}`, 'in', ids)
      .union(
        db
          .selectFrom('securitygroupportbindings as m')
          .innerJoin('allowedaddresspairs', 'allowedaddresspairs.port_id', 'm.port_id')
          .select(['m.security_group_id', 'm.port_id', 'allowedaddresspairs.ip_address'])
          .where(`m.${column}`, 'in', ids),
      ),
  )

const readMembers = membersBy('security_group_id')
const readMemberships = membersBy('port_id')

interface MemberRow {
  security_group_id: string
  port_id: string
  ip_address: string
}

/** All members of these groups, with the addresses that they have or may use besides. */
export async function membersOf(db: Kysely<Tables>, groupIds: readonly string[]): Promise<Member[]> {
  return toMembers(await readMembers(db, groupIds))
}

/** These ports as members of these groups now; one that is no longer in a group has no addresses there. */
export async function membershipsOf(
  db: Kysely<Tables>,
  pairs: readonly { groupId: string; portId: string }[],
): Promise<Member[]> {
  const rows = await readMemberships(db, [...new Set(pairs.map((pair) => pair.portId))])
  const found = new Map(toMembers(rows).map((member) => [`${member.groupId} ${member.portId}`, member]))
  return pairs.map((pair) => found.get(`${pair.groupId} ${pair.portId}`) ?? { ...pair, addresses: [] })
}

/** A port that is described already as a member of a group. */
export const memberOf = (port: WantedPort, groupId: string): Member => ({
  groupId,
  portId: port.id,
  addresses: port.securityGroupIds.includes(groupId)
    ? [...new Set([...port.fixedIps, ...port.allowedAddressPairs].map((each) => toCidr(each.ipAddress)))]
    : [],
})

function toMembers(rows: readonly MemberRow[]): Member[] {
  const groups = new Map<string, Map<string, Member>>()
  for (const row of rows) {
    const { security_group_id: groupId, port_id: portId } = row
    let members = groups.get(groupId)
    if (members === undefined) {
      members = new Map()
      groups.set(groupId, members)
    }
    let member = members.get(portId)
    if (member === undefined) {
      member = { groupId, portId, addresses: [] }
      members.set(portId, member)
    }
    member.addresses.push(toCidr(row.ip_address))
  }
  return [...groups.values()].flatMap((members) => [...members.values()])
}

function toCidr(address: string): string {
  if (address.includes('/')) return address
  return `${address}/${address.includes(':') ? 128 : 32}`
}
