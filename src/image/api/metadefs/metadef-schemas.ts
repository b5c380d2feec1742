/** Metadata definitions as JSON schemas: what bodies are checked with, and what `/v2/schemas/metadefs` tells. */
import { type TSchema, Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import { check } from '../../../base/http/validate.ts'

const text = { type: 'string' }
const upTo = (maxLength: number) => ({ type: 'string', maxLength })
const readOnly = { type: 'string', readOnly: true }
const time = { type: 'string', readOnly: true, format: 'date-time' }
const times = { created_at: time, updated_at: time }
const positive = { $ref: '#/definitions/positiveInteger' }
const texts = { $ref: '#/definitions/stringArray' }
const type = {
  type: 'string',
  enum: ['array', 'boolean', 'integer', 'number', 'object', 'string', null],
}

const propertyFields = {
  name: upTo(255),
  title: text,
  description: text,
  operators: { type: 'array', items: text },
  type,
  required: texts,
  minimum: { type: 'number' },
  maximum: { type: 'number' },
  maxLength: positive,
  minLength: positive,
  pattern: text,
  enum: { type: 'array' },
  readonly: { type: 'boolean' },
  default: {},
  items: { type: 'object', properties: { type, enum: { type: 'array' } } },
  maxItems: positive,
  minItems: positive,
  uniqueItems: { type: 'boolean' },
  additionalItems: { type: 'boolean' },
}

const definitions = {
  positiveInteger: { type: 'integer', minimum: 0 },
  stringArray: { type: 'array', items: text, uniqueItems: true },
  property: {
    type: 'object',
    additionalProperties: { type: 'object', properties: propertyFields, required: ['title', 'type'] },
  },
}

const propertiesByName = { $ref: '#/definitions/property' }

const tag = { name: upTo(255), ...times }
const association = { name: upTo(80), prefix: upTo(80), properties_target: upTo(80), ...times }
const object = {
  name: upTo(255),
  description: text,
  required: texts,
  properties: propertiesByName,
  schema: readOnly,
  self: readOnly,
  ...times,
}
const namespace = {
  namespace: upTo(80),
  display_name: upTo(80),
  description: upTo(500),
  visibility: { type: 'string', enum: ['public', 'private'] },
  protected: { type: 'boolean' },
  owner: upTo(255),
  schema: readOnly,
  self: readOnly,
  ...times,
  resource_type_associations: {
    type: 'array',
    items: { type: 'object', properties: { name: text, prefix: text, properties_target: text } },
  },
  properties: propertiesByName,
  objects: {
    type: 'array',
    items: {
      type: 'object',
      properties: { name: text, description: text, required: texts, properties: propertiesByName },
    },
  },
  tags: { type: 'array', items: { type: 'object', properties: { name: text } } },
}

const closed = (name: string, properties: object, required: string[]) => ({
  name,
  properties,
  additionalProperties: false,
  required,
  definitions,
})

/** Every schema of one thing, by name. */
export const schemas = {
  namespace: closed('namespace', namespace, ['namespace']),
  object: closed('object', object, ['name']),
  property: closed('property', propertyFields, ['type', 'title', 'name']),
  tag: closed('tag', tag, ['name']),
  resource_type: closed('resource_type_association', association, ['name']),
} as const

export type SchemaName = keyof typeof schemas

const tagList: TSchema = Type.Unsafe({
  type: 'object',
  properties: { tags: { type: 'array', items: { type: 'object', properties: tag, required: ['name'] } } },
  required: ['tags'],
})

const bodyOf = (schema: object): TSchema => Type.Unsafe({ type: 'object', ...schema })

const compiled: Readonly<Record<SchemaName | 'tags', TSchema>> = {
  namespace: bodyOf(schemas.namespace),
  object: bodyOf(schemas.object),
  property: bodyOf(schemas.property),
  tag: bodyOf(schemas.tag),
  resource_type: bodyOf(schemas.resource_type),
  tags: tagList,
}

const unwritable = ['self', 'schema', 'created_at', 'updated_at']

/** The body, checked; a Fault `invalid` where it does not fit, `forbidden` where it says what only the service says. */
export function readBody<T>(name: SchemaName | 'tags', body: unknown): T {
  if (body === undefined || body === null || typeof body !== 'object')
    throw new Fault('invalid', 'Body expected in request.')
  for (const key of unwritable) {
    if (key in body) throw new Fault('forbidden', `Attribute '${key}' is read-only.`, { attribute: key })
  }
  const finding = check(compiled[name], body)
  if (finding === undefined) return body as T
  const where = finding.path === '' ? '' : `${finding.path}: `
  throw new Fault('invalid', `Provided object does not match schema '${name}': ${where}${finding.problem}`)
}
