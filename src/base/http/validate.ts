/** JSON Schema checks whose messages read as those of Python's jsonschema, which clients and tests know. */

import { isIP, isIPv4, isIPv6 } from 'node:net'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { TSchema } from 'typebox'
import { Fault } from '../errors.ts'
import { isUuid } from '../ids.ts'

const ajv = new Ajv({
  strict: false,
  allErrors: false,
  verbose: true,
  coerceTypes: false,
  removeAdditional: false,
})
ajv.addFormat('uuid', isUuid)
ajv.addFormat('ip', (text: string) => isIP(text) !== 0)
ajv.addFormat('ipv4', isIPv4)
ajv.addFormat('ipv6', isIPv6)
ajv.addFormat('uri', (text: string) => URL.canParse(text))
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)))

const compiled = new WeakMap<TSchema, ValidateFunction>()

/** What `check` found wrong. `path` is like `server.networks.0.uuid`, empty for the whole body. */
export interface Finding {
  path: string
  /** The same in its parts: `['server', 'networks', '0', 'uuid']`. */
  parts: readonly string[]
  /** `'x' is too long` and so on. */
  problem: string
  value: unknown
  /** The keyword of the schema that it breaks, and where that stands: `minimum`, `properties/total/minimum`. */
  rule: string
  schemaPath: string
}

/** The first thing wrong with a value, or undefined. */
export function check(schema: TSchema, value: unknown): Finding | undefined {
  let validate = compiled.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    compiled.set(schema, validate)
  }
  if (validate(value)) return undefined
  const error = mostTelling(validate.errors ?? [])
  const parts = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return {
    path: parts.join('.'),
    parts,
    problem: wording(error),
    value: error.data,
    rule: error.keyword,
    schemaPath: error.schemaPath.replace(/^#\//, ''),
  }
}

/** Throws `invalid` with nova's wording when a body or query does not fit. */
export function assertValid(schema: TSchema, value: unknown, what: 'body' | 'query' = 'body'): void {
  const finding = check(schema, value)
  if (finding === undefined) return
  throw new Fault('invalid', sentence(finding, what), { ...finding, what })
}

// A field is called by the last part of its path; of a query's, what follows the name is its place among several.
function sentence({ parts, value, problem }: Finding, what: 'body' | 'query'): string {
  if (parts.length === 0) return problem
  const name = what === 'query' ? `query parameters ${parts[0]}` : `field/attribute ${parts.at(-1)}`
  return `Invalid input for ${name}. Value: ${typeof value === 'string' ? value : python(value)}. ${problem}`
}

// The deepest error tells which field it was; `anyOf` and `oneOf` themselves only say that no branch fits.
function mostTelling(errors: readonly ErrorObject[]): ErrorObject {
  const last = errors.at(-1)
  if (last === undefined) throw new Error('a failed check has an error')
  if (last.keyword !== 'anyOf' && last.keyword !== 'oneOf') return last
  const deeper = errors.filter((error) => error.instancePath.length > last.instancePath.length)
  return deeper.at(-1) ?? last
}

function wording(error: ErrorObject): string {
  const value = python(error.data)
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'required':
      return `'${params['missingProperty']}' is a required property`
    case 'additionalProperties':
      return unexpected(String(params['additionalProperty']), error.parentSchema)
    case 'type':
      return `${value} is not of type ${[params['type']].flat().join(',').split(',').map(python).join(', ')}`
    case 'enum':
      return `${value} is not one of ${python(params['allowedValues'])}`
    case 'const':
      return `${python(params['allowedValue'])} was expected`
    case 'minLength':
    case 'minItems':
      return `${value} is too short`
    case 'maxLength':
    case 'maxItems':
      return `${value} is too long`
    case 'minimum':
      return `${value} is less than the minimum of ${params['limit']}`
    case 'maximum':
      return `${value} is greater than the maximum of ${params['limit']}`
    case 'pattern':
      return `${value} does not match ${python(params['pattern'])}`
    case 'format':
      return `${value} is not a '${params['format']}'`
    case 'uniqueItems':
      return `${value} has non-unique elements`
    case 'minProperties':
      return `${value} does not have enough properties`
    case 'maxProperties':
      return `${value} has too many properties`
    case 'anyOf':
    case 'oneOf':
      return `${value} is not valid under any of the given schemas`
    default:
      return `${value} ${error.message ?? 'is not valid'}`
  }
}

function unexpected(property: string, schema: Record<string, unknown> | undefined): string {
  const patterns = Object.keys((schema?.['patternProperties'] as object | undefined) ?? {})
  if (patterns.length === 0) return `Additional properties are not allowed ('${property}' was unexpected)`
  const regexes = patterns
    .sort()
    .map((pattern) => `'${pattern}'`)
    .join(', ')
  return `'${property}' does not match any of the regexes: ${regexes}`
}

/** A value as Python would print it, cut to a length that fits a message. */
export function python(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string')
    return cut(value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value}'`)
  if (Array.isArray(value)) return cut(`[${value.map(python).join(', ')}]`)
  if (typeof value === 'object') {
    return cut(
      `{${Object.entries(value)
        .map(([key, item]) => `${python(key)}: ${python(item)}`)
        .join(', ')}}`,
    )
  }
  return String(value)
}

const cut = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}…` : text)
