import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import { newUuid } from '../../base/ids.ts'
import type { Work } from '../work.ts'
import { byIds } from './by-ids.ts'
import { groupBy } from './slices.ts'
import { newStandard } from './standard.ts'
import type { SecurityGroupRuleRow, Standard, Tables } from './tables.ts'

type RuleParts = Omit<SecurityGroupRuleRow, keyof Standard | 'fingerprint'>

const ethertypes = ['IPv4', 'IPv6'] as const

/** The group that ports of a project get when none is named; made when it is first needed. */
export async function ensureDefaultGroup(work: Work, projectId: string): Promise<string> {
  const known = await findDefaultGroup(work.db, projectId)
  if (known !== undefined) return known
  const id = await insertGroup(work, {
    projectId,
    name: 'default',
    description: 'Default security group',
    stateful: true,
    openWithin: true,
  })
  await work.db
    .insertInto('default_security_group')
    .values({ project_id: projectId, security_group_id: id })
    .execute()
  return id
}

const readDefaultGroup = statement((db: Db<Tables>, p: { projectId: string }) =>
  db.selectFrom('default_security_group').select('security_group_id').where('project_id', '=', p.projectId),
)

export async function findDefaultGroup(db: Db<Tables>, projectId: string): Promise<string | undefined> {
  const { rows } = await readDefaultGroup(db, { projectId })
  return rows[0]?.security_group_id
}

/** Every group lets everything out; the default one lets its members in. */
export async function insertGroup(
  work: Work,
  group: { projectId: string; name: string; description: string; stateful: boolean; openWithin: boolean },
): Promise<string> {
  const id = newUuid()
  await work.db
    .insertInto('securitygroups')
    .values({
      ...newStandard(work, id, group.projectId, group.description),
      name: group.name,
      stateful: Number(group.stateful),
    })
    .execute()
  const rules: RuleParts[] = ethertypes.map((ethertype) => plainRule(id, 'egress', ethertype, null))
  if (group.openWithin) rules.push(...ethertypes.map((ethertype) => plainRule(id, 'ingress', ethertype, id)))
  await insertRules(work, group.projectId, rules, '')
  return id
}

const plainRule = (
  groupId: string,
  direction: string,
  ethertype: string,
  remoteGroupId: string | null,
): RuleParts => ({
  security_group_id: groupId,
  direction,
  ethertype,
  protocol: null,
  port_range_min: null,
  port_range_max: null,
  remote_ip_prefix: null,
  remote_group_id: remoteGroupId,
  remote_address_group_id: null,
})

const insertRule = insertStatement<Tables, 'securitygrouprules'>('securitygrouprules')

/** Returns the ids of the new rules. */
export async function insertRules(
  work: Work,
  projectId: string,
  rules: readonly RuleParts[],
  description: string,
): Promise<string[]> {
  const rows = rules.map((rule) => ({
    ...newStandard(work, newUuid(), projectId, description),
    ...rule,
    fingerprint: fingerprint(rule),
  }))
  for (const row of rows) await insertRule(work.db, row)
  return rows.map((row) => row.id)
}

/** Two rules with the same text let the same through. */
export function fingerprint(rule: RuleParts): string {
  const everywhere = rule.remote_ip_prefix === '0.0.0.0/0' || rule.remote_ip_prefix === '::/0'
  return [
    rule.direction,
    rule.ethertype,
    rule.port_range_min,
    rule.port_range_max,
    rule.protocol === null ? null : protocolNumber(rule.protocol),
    rule.remote_group_id,
    rule.remote_address_group_id,
    everywhere ? null : rule.remote_ip_prefix,
  ]
    .map((part) => part ?? '+')
    .join('_')
}

/** IANA's numbers of the protocols that rules may name. */
export const protocolNumbers: Readonly<Record<string, number>> = {
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  egp: 8,
  udp: 17,
  dccp: 33,
  'ipv6-encap': 41,
  'ipv6-route': 43,
  'ipv6-frag': 44,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmpv6: 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  ospf: 89,
  pgm: 113,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
}

/** The number of a protocol given by name or number. */
export const protocolNumber = (protocol: string): number => protocolNumbers[protocol] ?? Number(protocol)

const readRules = byIds((db, groupIds) =>
  db
    .selectFrom('securitygrouprules')
    .selectAll()
    .where('security_group_id', 'in', groupIds)
    .orderBy('created_at')
    .orderBy('id'),
)

/** The rules of groups, oldest first. */
export async function rulesOf(
  db: Db<Tables>,
  groupIds: readonly string[],
): Promise<Map<string, SecurityGroupRuleRow[]>> {
  return groupBy(await readRules(db, groupIds), (row) => row.security_group_id)
}

const readMemberships = byIds((db, portIds) =>
  db
    .selectFrom('securitygroupportbindings')
    .selectAll()
    .where('port_id', 'in', portIds)
    .orderBy('port_id')
    .orderBy('security_group_id'),
)

/** The groups of ports. */
export async function groupsOfPorts(
  db: Db<Tables>,
  portIds: readonly string[],
): Promise<Map<string, string[]>> {
  const groups = groupBy(await readMemberships(db, portIds), (row) => row.port_id)
  return new Map([...groups].map(([id, of]) => [id, of.map((row) => row.security_group_id)]))
}

export const groupsById = byIds((db, ids) =>
  db.selectFrom('securitygroups').selectAll().where('id', 'in', ids),
)
