/** A rule in nova's words: ports from and to, -1 for any ICMP type, a CIDR or the name of a group. */
import { type Static, type TSchema, Type } from 'typebox'
import type { NewSecurityGroupRule, SecurityGroup } from '#network/client.ts'
import { Fault } from '../../../base/errors.ts'

const Port = Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]+$' }), Type.Null()])

const body = Type.Object({
  security_group_rule: Type.Object({
    parent_group_id: Type.String({ format: 'uuid' }),
    ip_protocol: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    from_port: Type.Optional(Port),
    to_port: Type.Optional(Port),
    cidr: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    group_id: Type.Optional(Type.Union([Type.String({ format: 'uuid' }), Type.Null()])),
  }),
})
export const ruleBody: TSchema = body
export type RuleBody = Static<typeof body>

const anyPorts = { tcp: [1, 65535], udp: [1, 65535], icmp: [-1, -1] } as const

/** Network's rule for nova's; without a source it is for everybody. */
export function newRule(asked: RuleBody['security_group_rule']): NewSecurityGroupRule {
  const protocol = asked.ip_protocol?.toLowerCase()
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp') {
    throw new Fault('invalid', `Invalid IP protocol ${asked.ip_protocol}; it is tcp, udp or icmp.`)
  }
  const [from, to] = [asked.from_port, asked.to_port].map((port) => (port == null ? null : Number(port)))
  const isAny = from === null || to === null || from === -1
  if (isAny && asked.group_id == null && protocol !== 'icmp') {
    throw new Fault(
      'invalid',
      'Not enough parameters to build a valid rule: from_port and to_port are needed.',
    )
  }
  const prefix = asked.group_id == null ? (asked.cidr ?? '0.0.0.0/0') : null
  return {
    securityGroupId: asked.parent_group_id,
    direction: 'ingress',
    ethertype: prefix?.includes(':') === true ? 'IPv6' : 'IPv4',
    protocol,
    portRangeMin: isAny ? null : (from ?? null),
    portRangeMax: isAny || to === -1 ? null : (to ?? null),
    remoteIpPrefix: prefix,
    remoteGroupId: asked.group_id ?? null,
  }
}

/** `source` is the group that the rule admits, when it admits one. */
export function ruleView(
  parentGroupId: string,
  rule: SecurityGroup['rules'][number],
  source: SecurityGroup | undefined,
): Record<string, unknown> {
  const [from, to] = anyPorts[rule.protocol as keyof typeof anyPorts] ?? [null, null]
  const everywhere = rule.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0'
  return {
    id: rule.id,
    parent_group_id: parentGroupId,
    ip_protocol: rule.protocol,
    from_port: rule.portRangeMin ?? from,
    to_port: rule.portRangeMax ?? to,
    ip_range: rule.remoteGroupId === null ? { cidr: rule.remoteIpPrefix ?? everywhere } : {},
    group: source === undefined ? {} : { name: source.name, tenant_id: source.projectId },
  }
}
