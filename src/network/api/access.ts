/** Policies of resources: who may write what, and which attributes are shown. */

import { Fault } from '../../base/errors.ts'
import type { ApiRequest } from '../../base/http/route.ts'
import { hidden } from '../errors.ts'
import type { Values } from './attributes.ts'
import { networkPolicies } from './policies.ts'
import type { AnyResource } from './resource.ts'

type Can = Pick<ApiRequest, 'can'>

const hasRule = (rule: string): boolean => rule in networkPolicies

/** A resource as rules see it. */
export function targetOf(values: Values, facts: Values = {}): Values {
  const owner = values['project_id'] ?? null
  const deviceOwner = values['device_owner']
  return {
    ...values,
    ...facts,
    project_id: owner,
    tenant_id: owner,
    network_device: typeof deviceOwner === 'string' && deviceOwner.startsWith('network:'),
  }
}

/** Throws unless every rule that a write needs allows it. */
export function authorizeWrite(
  request: Can,
  resource: AnyResource,
  action: 'create' | 'update' | 'delete',
  target: Values,
  sent: { values: Values; named: readonly string[] } | undefined,
): void {
  const rule = `${action}_${resource.name}`
  const rules = [rule, ...(sent === undefined ? [] : attributeRules(resource, action, sent))]
  const refused = rules.filter((name) => !request.can(name, target))
  if (refused.length === 0) return
  const shown = rules.map((name) => `rule:${name}`).join(' and ')
  throw new Fault('forbidden', `${rules.length > 1 ? `(${shown})` : shown} is disallowed by policy`, {
    type: 'PolicyNotAuthorized',
    refused,
  })
}

/** As `authorizeWrite`, but a resource that the caller may not even see is not there. */
export function authorizeChange(
  request: Can,
  resource: AnyResource,
  action: 'update' | 'delete',
  target: Values,
  sent?: { values: Values; named: readonly string[] },
): void {
  try {
    authorizeWrite(request, resource, action, target, sent)
  } catch (error) {
    if (!request.can(`get_${resource.name}`, target)) throw hidden()
    throw error
  }
}

function attributeRules(
  resource: AnyResource,
  action: 'create' | 'update' | 'delete',
  sent: { values: Values; named: readonly string[] },
): string[] {
  const rules: string[] = []
  for (const name of sent.named) {
    const attribute = resource.attributes[name]
    if (attribute?.policy !== true) continue
    // Sending the default on create is as good as sending nothing.
    if (action === 'create' && sameAsDefault(sent.values[name], attribute.default)) continue
    const rule = `${action}_${resource.name}:${name}`
    if (hasRule(rule)) rules.push(rule)
  }
  if (resource.extraRules !== undefined) {
    rules.push(...resource.extraRules(action, pick(sent)).filter((rule) => hasRule(rule)))
  }
  return rules
}

const sameAsDefault = (value: unknown, standard: unknown): boolean =>
  standard !== undefined && JSON.stringify(value) === JSON.stringify(standard)

const pick = ({ values, named }: { values: Values; named: readonly string[] }): Values =>
  Object.fromEntries(named.filter((name) => name in values).map((name) => [name, values[name]]))

/** True when the caller may see the resource at all. `target`: the resource as rules see it, made when one looks. */
export const canShow = (request: Can, resource: AnyResource, target: () => Values): boolean =>
  !hasRule(`get_${resource.name}`) || request.can(`get_${resource.name}`, target())

/** The resource without what the caller may not see or did not ask for. */
export function shownTo(
  request: Can,
  resource: AnyResource,
  view: Values,
  target: () => Values,
  fields: readonly string[],
): Values {
  const shown: Values = {}
  for (const name of fields.length > 0 ? new Set(fields) : Object.keys(view)) {
    const value = view[name]
    const attribute = resource.attributes[name]
    // An attribute of an extension that is not configured is in the view, but not among the attributes.
    if (value === undefined || attribute === undefined || attribute.hidden === true) continue
    const rule = `get_${resource.name}:${name}`
    if (hasRule(rule) && !request.can(rule, target())) continue
    shown[name] = value
  }
  return shown
}
