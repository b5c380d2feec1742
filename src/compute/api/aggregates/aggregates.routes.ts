import { Type } from 'typebox'
import { showMicroseconds } from '../../../base/clock.ts'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { type Fields, viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import {
  type Aggregate,
  deleteAggregate,
  getAggregate,
  insertAggregate,
  listAggregates,
  renameAggregate,
  setAggregateMetadata,
} from '../../store/aggregates.ts'
import type { ApiDbDeps, HostDeps } from '../deps.ts'
import { HostName, Name, Uuid, wrapped, ZoneName } from '../schema-types.ts'
import { addHost, assertZoneFits, removeHost } from './aggregate-hosts.ts'

export const aggregateFields = { uuid: { schema: Type.String(), since: '2.41' } } satisfies Fields

const Zone = Type.Union([ZoneName, Type.Null()])
const strict = { additionalProperties: false }
const createBody = wrapped(
  'aggregate',
  Type.Object({ name: Name, availability_zone: Type.Optional(Zone) }, strict),
)
const updateBody = wrapped(
  'aggregate',
  Type.Object(
    { name: Type.Optional(Name), availability_zone: Type.Optional(Zone) },
    { ...strict, minProperties: 1 },
  ),
)
const hostBody = (action: string) => wrapped(action, Type.Object({ host: HostName }, strict))
const metadataBody = wrapped(
  'set_metadata',
  Type.Object(
    {
      metadata: Type.Unsafe<Record<string, string | null>>({
        type: 'object',
        patternProperties: {
          '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: ['string', 'null'], maxLength: 255 },
        },
        ...strict,
      }),
    },
    strict,
  ),
)
const imagesBody = Type.Object(
  { cache: Type.Array(Type.Object({ id: Uuid }, strict), { minItems: 1 }) },
  strict,
)

interface AggregateBody {
  aggregate: { name?: string; availability_zone?: string | null }
}
interface ActionBody {
  add_host: { host: string }
  remove_host: { host: string }
  set_metadata: { metadata: Record<string, string | null> }
}

const rule = (name: string) => `os_compute_api:os-aggregates:${name}`
const item = '/os-aggregates/:id'
const action = `${item}/action`

export const aggregateRoutes: readonly Route<HostDeps>[] = [
  { get: '/os-aggregates', policy: rule('index'), handler: listAll },
  { post: '/os-aggregates', policy: rule('create'), body: createBody, handler: create },
  { get: item, policy: rule('show'), handler: show },
  { put: item, policy: rule('update'), body: updateBody, handler: update },
  { delete: item, policy: rule('delete'), status: 200, handler: remove },
  {
    post: action,
    action: 'add_host',
    policy: rule('add_host'),
    body: hostBody('add_host'),
    handler: async (request: ApiRequest<ActionBody>, deps) =>
      shown(request, await addHost(deps, idOf(request), request.body.add_host.host)),
  },
  {
    post: action,
    action: 'remove_host',
    policy: rule('remove_host'),
    body: hostBody('remove_host'),
    handler: async (request: ApiRequest<ActionBody>, deps) =>
      shown(request, await removeHost(deps, idOf(request), request.body.remove_host.host)),
  },
  {
    post: action,
    action: 'set_metadata',
    policy: rule('set_metadata'),
    body: metadataBody,
    handler: setMetadata,
  },
  {
    post: `${item}/images`,
    since: '2.81',
    policy: 'compute:aggregates:images',
    body: imagesBody,
    status: 202,
    handler: cacheImages,
  },
]

function idOf(request: ApiRequest<never> | ApiRequest): number {
  const id = request.params['id']!
  if (/^-?\d{1,9}$/.test(id)) return Number(id)
  throw new Fault('invalid', `Invalid input received: id must be an integer`)
}

function view(request: ApiRequest<never> | ApiRequest, aggregate: Aggregate): Record<string, unknown> {
  const { created_at, updated_at, ...rest } = aggregate
  return viewAt(aggregateFields, [], request.microversion, {
    ...rest,
    availability_zone: aggregate.metadata['availability_zone'] ?? null,
    created_at: showMicroseconds(created_at),
    updated_at: updated_at === null ? null : showMicroseconds(updated_at),
    deleted: false,
    deleted_at: null,
  })
}

const shown = (request: ApiRequest<never> | ApiRequest, aggregate: Aggregate) => ({
  aggregate: view(request, aggregate),
})

async function listAll(request: ApiRequest<never>, deps: ApiDbDeps) {
  return { aggregates: (await listAggregates(deps.apiDb)).map((aggregate) => view(request, aggregate)) }
}

async function create(request: ApiRequest<AggregateBody>, deps: ApiDbDeps) {
  const { name, availability_zone: zone } = request.body.aggregate
  const made = await inTransaction(deps.apiDb, (db) =>
    insertAggregate(db, name!, zone == null ? {} : { availability_zone: zone }),
  )
  const { hosts: _hosts, metadata: _metadata, ...rest } = view(request as ApiRequest<never>, made)
  return { aggregate: rest }
}

async function show(request: ApiRequest<never>, deps: ApiDbDeps) {
  return shown(request, await getAggregate(deps.apiDb, idOf(request)))
}

async function update(request: ApiRequest<AggregateBody>, deps: HostDeps) {
  const id = idOf(request)
  const { name, availability_zone: zone } = request.body.aggregate
  if (zone !== undefined) await assertZoneFits(deps, id, zone, 'Cannot update aggregate')
  const updated = await inTransaction(deps.apiDb, async (db) => {
    await getAggregate(db, id)
    if (name !== undefined) await renameAggregate(db, id, name)
    if (zone !== undefined) await setAggregateMetadata(db, id, { availability_zone: zone })
    return await getAggregate(db, id)
  })
  await deps.conductor.hostsChanged({})
  return shown(request as ApiRequest<never>, updated)
}

async function setMetadata(request: ApiRequest<ActionBody>, deps: HostDeps) {
  const id = idOf(request)
  const { metadata } = request.body.set_metadata
  const zone = metadata['availability_zone']
  if (zone !== undefined) await assertZoneFits(deps, id, zone, 'Cannot update metadata of aggregate')
  const updated = await inTransaction(deps.apiDb, async (db) => {
    await getAggregate(db, id)
    await setAggregateMetadata(db, id, metadata)
    return await getAggregate(db, id)
  })
  await deps.conductor.hostsChanged({})
  return shown(request as ApiRequest<never>, updated)
}

async function remove(request: ApiRequest<never>, deps: HostDeps) {
  const id = idOf(request)
  await inTransaction(deps.apiDb, async (db) => {
    if ((await getAggregate(db, id)).hosts.length > 0) {
      throw new Fault(
        'invalid',
        `Cannot remove host from aggregate ${id}. Reason: Host aggregate is not empty.`,
      )
    }
    await deleteAggregate(db, id)
  })
}

// Hosts keep every image they once fetched, and fetch one when a server needs it: there is nothing to begin early.
async function cacheImages(request: ApiRequest<{ cache: { id: string }[] }>, deps: ApiDbDeps) {
  const ids = request.body.cache.map((image) => image.id)
  if (new Set(ids).size < ids.length) throw new Fault('invalid', 'Duplicate images in request')
  await getAggregate(deps.apiDb, idOf(request as ApiRequest<never>))
}
