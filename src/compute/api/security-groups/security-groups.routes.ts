/** nova's own security groups of old, kept to 2.35 as a way to Network's. */
import type { TSchema } from 'typebox'
import { Type } from 'typebox'
import type { NetworkClient, SecurityGroup } from '#network/client.ts'
import { Fault, isFault, notFound } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { isUuid } from '../../../base/ids.ts'
import type { NetworkDeps } from '../deps.ts'
import { newRule, type RuleBody, ruleBody, ruleView } from './rule.ts'

interface GroupBody {
  security_group: { name: string; description: string }
}

const last = '2.35'
const rule = (name: string) => `os_compute_api:os-security-groups:${name}`
const groups = '/os-security-groups'
const group = `${groups}/:id`

// Network says itself what is wrong with a name; only the shape is checked here.
const groupBody: TSchema = Type.Object({
  security_group: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 255 }),
    description: Type.String({ maxLength: 255 }),
  }),
})

export const securityGroupRoutes: readonly Route<NetworkDeps>[] = [
  { get: groups, policy: rule('get'), until: last, handler: list },
  { post: groups, policy: rule('create'), until: last, body: groupBody, handler: create },
  { get: group, policy: rule('show'), until: last, handler: show },
  { put: group, policy: rule('update'), until: last, body: groupBody, handler: update },
  { delete: group, policy: rule('delete'), until: last, status: 202, handler: remove },
  {
    post: '/os-security-group-rules',
    policy: rule('rule:create'),
    until: last,
    body: ruleBody,
    handler: createRule,
  },
  {
    delete: '/os-security-group-rules/:id',
    policy: rule('rule:delete'),
    until: last,
    status: 202,
    handler: removeRule,
  },
]

async function list(request: ApiRequest, deps: NetworkDeps) {
  const network = deps.networkFor(request.context.token)
  const everybody = request.query['all_tenants'] !== undefined && request.can(rule('get'))
  const { projectId } = request.context
  const found = await network.listSecurityGroups(everybody || projectId === null ? {} : { projectId })
  return { security_groups: await securityGroupViews(network, found) }
}

async function show(request: ApiRequest, deps: NetworkDeps) {
  const network = deps.networkFor(request.context.token)
  return { security_group: await view(network, await network.showSecurityGroup(idOf(request))) }
}

async function create(request: ApiRequest<GroupBody>, deps: NetworkDeps) {
  const network = deps.networkFor(request.context.token)
  const { name, description } = request.body.security_group
  return { security_group: await view(network, await network.createSecurityGroup({ name, description })) }
}

async function update(request: ApiRequest<GroupBody>, deps: NetworkDeps) {
  const network = deps.networkFor(request.context.token)
  const { name, description } = request.body.security_group
  const changed = await network.updateSecurityGroup(idOf(request), { name, description })
  return { security_group: await view(network, changed) }
}

async function remove(request: ApiRequest, deps: NetworkDeps) {
  await deps.networkFor(request.context.token).deleteSecurityGroup(idOf(request)).catch(inUseIsInvalid)
}

async function createRule(request: ApiRequest<RuleBody>, deps: NetworkDeps) {
  const network = deps.networkFor(request.context.token)
  const wanted = newRule(request.body.security_group_rule)
  const parent = await network.showSecurityGroup(wanted.securityGroupId)
  const source =
    wanted.remoteGroupId === null ? undefined : await network.showSecurityGroup(wanted.remoteGroupId)
  const created = await network.createSecurityGroupRule(wanted).catch((error: unknown) => {
    if (!isFault(error, 'conflict')) throw error
    throw new Fault('invalid', `This rule already exists in group ${parent.id}`, {}, error)
  })
  return { security_group_rule: ruleView(parent.id, created, source) }
}

async function removeRule(request: ApiRequest, deps: NetworkDeps) {
  await deps.networkFor(request.context.token).deleteSecurityGroupRule(idOf(request))
}

function idOf(request: ApiRequest): string {
  const id = request.params['id'] ?? ''
  if (!isUuid(id)) throw notFound('Security group', id)
  return id
}

// nova calls a group that ports use a bad request; to Network it is a conflict.
function inUseIsInvalid(error: unknown): never {
  if (isFault(error, 'conflict')) throw new Fault('invalid', error.message, error.details, error)
  throw error
}

const view = async (network: NetworkClient, one: SecurityGroup) =>
  (await securityGroupViews(network, [one]))[0]

/** Groups in the form nova had them: their incoming rules only. */
export async function securityGroupViews(network: NetworkClient, found: readonly SecurityGroup[]) {
  const sourceIds = found.flatMap((one) => one.rules.flatMap((each) => each.remoteGroupId ?? []))
  const sources =
    sourceIds.length === 0 ? [] : await network.listSecurityGroups({ ids: [...new Set(sourceIds)] })
  const byId = new Map(sources.map((source) => [source.id, source]))
  return found.map((one) => ({
    id: one.id,
    name: one.name,
    description: one.description,
    tenant_id: one.projectId,
    rules: one.rules
      .filter((each) => each.direction === 'ingress')
      .map((each) => ruleView(one.id, each, byId.get(each.remoteGroupId ?? ''))),
  }))
}
