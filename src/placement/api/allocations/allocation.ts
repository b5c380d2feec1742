/** The bodies of allocations, as they were at each microversion. */
import type { TSchema } from 'typebox'
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import type { ConsumerWrite } from '../../store/allocations.ts'
import type { PlacementSettings } from '../deps.ts'
import { resourceClassPattern } from '../inventories/inventory.ts'

export const uuidPattern = '^[0-9a-fA-F-]{36}$'

type Json = Record<string, unknown>

const text = { type: 'string', minLength: 1, maxLength: 255 }
const resources = {
  type: 'object',
  minProperties: 1,
  patternProperties: { [resourceClassPattern]: { type: 'integer', minimum: 1 } },
  additionalProperties: false,
}
const object = (properties: Json, required: readonly string[]): Json => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

// Until 1.11 a list of providers, then an object by provider, which may be empty where a generation can be given.
const list = {
  type: 'array',
  minItems: 1,
  items: object(
    { resource_provider: object({ uuid: { type: 'string', format: 'uuid' } }, ['uuid']), resources },
    ['resource_provider', 'resources'],
  ),
}
const byProvider = (minProperties: number): Json => ({
  type: 'object',
  minProperties,
  patternProperties: {
    [uuidPattern]: object({ generation: { type: 'integer' }, resources }, ['resources']),
  },
  additionalProperties: false,
})
const mappings = {
  type: 'object',
  minProperties: 1,
  patternProperties: {
    '^[a-zA-Z0-9_-]{1,64}$': { type: 'array', minItems: 1, items: { type: 'string', format: 'uuid' } },
  },
}

const since = (version: Microversion, first: string): boolean => version >= parseVersion(first)

function consumerBody(version: Microversion, options: { mayBeEmpty: boolean }): Json {
  const properties: Json = {
    allocations: since(version, '1.12') ? byProvider(options.mayBeEmpty ? 0 : 1) : list,
  }
  if (since(version, '1.8')) Object.assign(properties, { project_id: text, user_id: text })
  if (since(version, '1.28')) properties['consumer_generation'] = { type: ['integer', 'null'] }
  if (since(version, '1.38')) properties['consumer_type'] = { ...text, pattern: resourceClassPattern }
  const required = Object.keys(properties)
  if (since(version, '1.34')) properties['mappings'] = mappings
  return object(properties, required)
}

const severalBody = (version: Microversion, minProperties: number): Json => ({
  type: 'object',
  minProperties,
  patternProperties: { [uuidPattern]: consumerBody(version, { mayBeEmpty: true }) },
  additionalProperties: false,
})

// Schemas are compiled once each, so the same version must give the same object.
function remember(make: (version: Microversion) => Json): (version: Microversion) => TSchema {
  const known = new Map<Microversion, TSchema>()
  return (version) => {
    let schema = known.get(version)
    if (schema === undefined) {
      schema = make(version) as TSchema
      known.set(version, schema)
    }
    return schema
  }
}

/** The body of `PUT /allocations/{consumer_uuid}`. */
export const putBody = remember((version) => consumerBody(version, { mayBeEmpty: since(version, '1.28') }))
/** The body of `POST /allocations`. */
export const postBody = remember((version) => severalBody(version, 1))
/** The `allocations` of `POST /reshaper`. */
export const reshapeAllocations = remember((version) => severalBody(version, 0))

export interface ConsumerBody {
  allocations:
    | { resource_provider: { uuid: string }; resources: Record<string, number> }[]
    | Record<string, { resources: Record<string, number> }>
  project_id?: string
  user_id?: string
  consumer_generation?: number | null
  consumer_type?: string
}

/** A body of any version as what the store takes. */
export function toWrite(uuid: string, body: ConsumerBody, settings: PlacementSettings): ConsumerWrite {
  // In the old list the last of several entries for a provider counts.
  const byUuid = Array.isArray(body.allocations)
    ? body.allocations.map((one) => [one.resource_provider.uuid, one.resources] as const)
    : Object.entries(body.allocations).map(([provider, one]) => [provider, one.resources] as const)
  const write: ConsumerWrite = {
    uuid,
    projectId: body.project_id ?? settings.incompleteProjectId,
    userId: body.user_id ?? settings.incompleteUserId,
    allocations: [...new Map(byUuid)].map(([providerUuid, wanted]) => ({ providerUuid, resources: wanted })),
  }
  if (body.consumer_generation !== undefined) write.generation = body.consumer_generation
  if (body.consumer_type !== undefined) write.type = body.consumer_type
  return write
}
