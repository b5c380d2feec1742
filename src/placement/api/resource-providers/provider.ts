/** The bodies and queries of resource providers, as they were at each microversion. */
import { type TSchema, Type } from 'typebox'
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import { Repeatable } from '../query.ts'

const v = parseVersion

const Name = Type.String({ maxLength: 200 })
const Uuid = Type.String({ format: 'uuid' })
const Parent = Type.Union([Uuid, Type.Null()])
const strict = { additionalProperties: false }

const createOld = Type.Object({ name: Name, uuid: Type.Optional(Uuid) }, strict)
const createNested = Type.Object(
  { name: Name, uuid: Type.Optional(Uuid), parent_provider_uuid: Type.Optional(Parent) },
  strict,
)
const updateOld = Type.Object({ name: Name }, strict)
const updateNested = Type.Object({ name: Name, parent_provider_uuid: Type.Optional(Parent) }, strict)

export interface ProviderBody {
  name: string
  uuid?: string
  parent_provider_uuid?: string | null
}

export const createBody = (version: Microversion): TSchema =>
  version >= v('1.14') ? createNested : createOld
export const updateBody = (version: Microversion): TSchema =>
  version >= v('1.14') ? updateNested : updateOld

const filters: Readonly<Record<string, { since: string; schema: TSchema }>> = {
  name: { since: '1.0', schema: Repeatable() },
  uuid: { since: '1.0', schema: Repeatable({ format: 'uuid' }) },
  member_of: { since: '1.3', schema: Repeatable() },
  resources: { since: '1.4', schema: Repeatable() },
  in_tree: { since: '1.14', schema: Repeatable({ format: 'uuid' }) },
  required: { since: '1.18', schema: Repeatable() },
}

const queries = new Map<Microversion, TSchema>()

/** The filters there were at a version. */
export function listQuery(version: Microversion): TSchema {
  let query = queries.get(version)
  if (query === undefined) {
    const alive = Object.entries(filters).filter(([, filter]) => version >= v(filter.since))
    query = Type.Object(
      Object.fromEntries(alive.map(([name, filter]) => [name, Type.Optional(filter.schema)])),
      strict,
    )
    queries.set(version, query)
  }
  return query
}
