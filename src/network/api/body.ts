/** Reads bodies of creates and updates by a resource's attributes. */
import { badRequest } from '../errors.ts'
import type { Attributes, Values } from './attributes.ts'
import type { Caller } from './caller.ts'
import type { AnyResource } from './resource.ts'

/** One resource of a body. */
export interface Sent {
  /** With defaults filled in on create; attributes not specified are absent. */
  values: Values
  /** The names that were in the body. */
  named: readonly string[]
}

/** One resource, or several under the collection's name. */
export function readCreateBody(
  resource: AnyResource,
  body: unknown,
  caller: Caller,
  allowBulk: boolean,
): { items: Sent[]; bulk: boolean } {
  const object = readObject(body)
  const many = object[resource.collection]
  if (many === undefined)
    return { items: [readCreate(resource, single(resource, object), caller)], bulk: false }
  if (!allowBulk) throw badRequest('Bulk operation not supported')
  if (!Array.isArray(many)) throw badRequest('Body contains invalid data')
  if (many.length === 0) throw badRequest('Resources required')
  const items = many.map((item: unknown) => {
    if (item === null || typeof item !== 'object') throw badRequest('Body contains invalid data')
    const inner = resource.name in item ? (item as Values)[resource.name] : item
    return readCreate(resource, single(resource, { [resource.name]: inner }), caller)
  })
  return { items, bulk: true }
}

/** The changes of an update. */
export function readUpdateBody(resource: AnyResource, body: unknown, caller: Caller): Sent {
  const sent = single(resource, readObject(body))
  assertOwner(sent, caller)
  assertKnown(resource.attributes, sent)
  for (const [name, attribute] of Object.entries(resource.attributes)) {
    if (name in sent && attribute.put !== true) throw badRequest(`Cannot update read-only attribute ${name}`)
  }
  const named = Object.keys(sent)
  return { values: converted(resource.attributes, sent), named }
}

function readObject(body: unknown): Values {
  if (body === undefined || body === null) throw badRequest('Resource body required')
  if (typeof body !== 'object' || Array.isArray(body)) throw badRequest('Body contains invalid data')
  if (Object.keys(body).length === 0) throw badRequest('Resource body required')
  return body as Values
}

function single(resource: AnyResource, object: Values): Values {
  const inner = object[resource.name]
  if (inner === undefined || inner === null)
    throw badRequest(`Unable to find '${resource.name}' in request body`)
  if (typeof inner !== 'object' || Array.isArray(inner))
    throw badRequest(`Object '${resource.name}' contains invalid data`)
  return { ...inner } as Values
}

function readCreate(resource: AnyResource, sent: Values, caller: Caller): Sent {
  const { attributes } = resource
  assertOwner(sent, caller)
  assertKnown(attributes, sent)
  const named = Object.keys(sent)
  const values: Values = {}
  for (const [name, attribute] of Object.entries(attributes)) {
    if (attribute.post !== true) {
      if (name in sent) throw badRequest(`Attribute '${name}' not allowed in POST`)
      continue
    }
    if (name in sent) values[name] = sent[name]
    else if (attribute.required === true)
      throw badRequest(`Failed to parse request. Required attribute '${name}' not specified`)
    else if (attribute.default !== undefined) values[name] = attribute.default
  }
  if ('project_id' in attributes) values['project_id'] = sent['project_id'] ?? caller.projectId
  delete values['tenant_id']
  if ('project_id' in attributes && values['project_id'] === null)
    throw badRequest('Running without keystone AuthN requires that tenant_id is specified')
  return { values: converted(attributes, values), named }
}

function assertOwner(sent: Values, caller: Caller): void {
  if (!('tenant_id' in sent) && !('project_id' in sent)) return
  sent['project_id'] ??= sent['tenant_id']
  sent['tenant_id'] ??= sent['project_id']
  if (sent['project_id'] !== sent['tenant_id']) throw badRequest("'project_id' and 'tenant_id' do not match")
  if (!caller.admin && sent['project_id'] !== caller.projectId) {
    throw badRequest(
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin or advsvc privileges",
    )
  }
}

function assertKnown(attributes: Attributes, sent: Values): void {
  const extra = Object.keys(sent).filter((name) => !(name in attributes))
  if (extra.length > 0) throw badRequest(`Unrecognized attribute(s) '${extra.join(', ')}'`)
}

function converted(attributes: Attributes, values: Values): Values {
  const result: Values = {}
  for (const [name, value] of Object.entries(values)) {
    if (name === 'tenant_id') continue
    const attribute = attributes[name]!
    const fine = attribute.convert === undefined ? value : attribute.convert(value)
    const reason = attribute.check?.(fine)
    if (reason !== undefined) throw badRequest(`Invalid input for ${name}. Reason: ${reason}.`)
    result[name] = fine
  }
  return result
}
