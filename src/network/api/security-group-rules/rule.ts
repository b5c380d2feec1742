/** Security group rules (`/v2.0/security-group-rules`): made and deleted, never changed. */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import { conflict, invalid, unknown } from '../../errors.ts'
import { parseCidr } from '../../ipam/ip.ts'
import { sharedWith } from '../../store/rbac-policies.ts'
import { fingerprint, groupsById, insertRules } from '../../store/security-groups.ts'
import { touch } from '../../store/standard.ts'
import type { SecurityGroupRuleRow, Tables } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import type { Caller } from '../caller.ts'
import * as check from '../checks.ts'
import type { Resource } from '../resource.ts'
import { makeDefaultGroup } from '../security-groups/security-group.ts'
import { idAttribute, ownerAttributes, standardAttributes } from '../standard-attributes.ts'
import { viewRules } from './rule.view.ts'
import { type RuleValues, toPort, toProtocol, validRule } from './validate-rule.ts'

const attributes: Attributes = {
  ...idAttribute,
  security_group_id: { post: true, required: true, check: check.text(36), filter: true, sort: true },
  remote_group_id: {
    post: true,
    default: null,
    check: check.orNull(check.text(36)),
    filter: true,
    sort: true,
  },
  remote_address_group_id: {
    post: true,
    default: null,
    check: check.orNull(check.text(36)),
    filter: true,
    sort: true,
    extension: 'security-groups-remote-address-group',
  },
  direction: {
    post: true,
    required: true,
    check: check.oneOf('ingress', 'egress'),
    filter: true,
    sort: true,
  },
  protocol: { post: true, default: null, convert: toProtocol, filter: true, sort: true },
  port_range_min: { post: true, default: null, convert: toPort, filter: true, sort: true },
  port_range_max: { post: true, default: null, convert: toPort, filter: true, sort: true },
  ethertype: { post: true, default: 'IPv4', convert: toEthertype, filter: true, sort: true },
  remote_ip_prefix: { post: true, default: null, convert: toPrefix, filter: true, sort: true },
  normalized_cidr: { extension: 'security-groups-normalized-cidr' },
  ...ownerAttributes,
  ...standardAttributes,
}

function toEthertype(value: unknown): string {
  const known = ['IPv4', 'IPv6'].find((type) => type.toLowerCase() === String(value).toLowerCase())
  if (known !== undefined) return known
  throw invalid(
    'SecurityGroupRuleInvalidEtherType',
    `Security group rule for ethertype '${String(value)}' not supported. Allowed values are ['IPv4', 'IPv6'].`,
  )
}

function toPrefix(value: unknown): string | null {
  if (value === null || value === '') return null
  if (typeof value === 'string' && parseCidr(value) !== undefined) return value
  throw invalid('InvalidCIDR', `Invalid CIDR ${String(value)} given as IP prefix.`)
}

export function securityGroupRuleResource(): Resource<SecurityGroupRuleRow> {
  return {
    name: 'security_group_rule',
    collection: 'security_group_rules',
    path: 'security-group-rules',
    table: 'securitygrouprules',
    counted: true,
    standard: true,
    attributes,
    unknown: unknown.securityGroupRule,
    visible: (caller) =>
      sql<boolean>`(securitygrouprules.project_id = ${caller.projectId} or securitygrouprules.security_group_id in (select id from securitygroups where project_id = ${caller.projectId}))`,
    beforeList: makeDefaultGroup,
    view: async (_db, rows) => viewRules(rows),
    facts: groupFacts,
    create: createRule,
    remove: deleteRule,
  }
}

async function groupFacts(db: Db<Tables>, rules: readonly Values[]): Promise<Values[]> {
  const ids = [...new Set(rules.map((rule) => rule['security_group_id'] as string))]
  const groups = await groupsById(db, ids)
  const owners = new Map(groups.map((group) => [group.id, group.project_id]))
  return rules.map((rule) => {
    const owner = owners.get(rule['security_group_id'] as string) ?? null
    return { 'security_group:tenant_id': owner, 'security_group:project_id': owner }
  })
}

async function createRule(work: Work, values: Values, caller: Caller): Promise<string> {
  const groupId = values['security_group_id'] as string
  const projectId = values['project_id'] as string
  const valid = validRule(values as unknown as RuleValues)
  const rule = {
    security_group_id: groupId,
    direction: valid.direction,
    ethertype: valid.ethertype,
    protocol: valid.protocol,
    port_range_min: valid.port_range_min,
    port_range_max: valid.port_range_max,
    remote_ip_prefix: valid.remote_ip_prefix,
    remote_group_id: valid.remote_group_id,
    remote_address_group_id: valid.remote_address_group_id ?? null,
  }
  if (rule.remote_group_id !== null && rule.remote_group_id !== groupId)
    await assertGroup(work, rule.remote_group_id, projectId, caller)
  if (rule.remote_address_group_id !== null)
    await assertAddressGroup(work, rule.remote_address_group_id, caller)
  await assertGroup(work, groupId, projectId, caller)
  const double = await work.db
    .selectFrom('securitygrouprules')
    .select('id')
    .where('security_group_id', '=', groupId)
    .where('fingerprint', '=', fingerprint(rule))
    .executeTakeFirst()
  if (double !== undefined) {
    throw conflict('SecurityGroupRuleExists', `Security group rule already exists. Rule id is ${double.id}.`)
  }
  const [id] = await insertRules(work, projectId, [rule], values['description'] as string)
  await touch(work, 'securitygroups', groupId)
  work.changes.groups.add(groupId)
  return id!
}

async function assertGroup(work: Work, id: string, projectId: string, caller: Caller): Promise<void> {
  let query = work.db.selectFrom('securitygroups').select('id').where('id', '=', id)
  if (!caller.admin) {
    const shared = sharedWith('securitygroups.id', projectId, ['access_as_shared'])
    query = query.where((eb) => eb.or([eb('project_id', '=', projectId), shared]))
  }
  if ((await query.executeTakeFirst()) === undefined) throw unknown.securityGroup(id)
}

async function assertAddressGroup(work: Work, id: string, caller: Caller): Promise<void> {
  let query = work.db.selectFrom('address_groups').select('id').where('id', '=', id)
  if (!caller.admin) {
    const shared = sharedWith('address_groups.id', caller.projectId, ['access_as_shared'])
    query = query.where((eb) => eb.or([eb('project_id', '=', caller.projectId ?? ''), shared]))
  }
  // Its addresses do not change before the rule is there, so that who changes them next finds the rule.
  if ((await query.forUpdate().executeTakeFirst()) === undefined) throw unknown.addressGroup(id)
}

async function deleteRule(work: Work, row: SecurityGroupRuleRow): Promise<void> {
  await work.db.deleteFrom('securitygrouprules').where('id', '=', row.id).execute()
  await touch(work, 'securitygroups', row.security_group_id)
  work.changes.groups.add(row.security_group_id)
}
