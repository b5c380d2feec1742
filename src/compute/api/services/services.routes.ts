import { Type } from 'typebox'
import { showMicroseconds } from '../../../base/clock.ts'
import { type Fields, viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { CellDb } from '../../store/cell-dbs.ts'
import { listHostsOfCell } from '../../store/cells.ts'
import type { CellDeps, HostDeps } from '../deps.ts'
import { type HostService, readHostServices } from '../hosts/host-services.ts'
import { queryValue } from '../paging.ts'
import { AnyText, byVersion, Flag, HostName, queryOf } from '../schema-types.ts'
import { deleteHostService } from './delete-service.ts'
import { updateByHost, updateByUuid } from './update-service.ts'

export const serviceFields = {
  forced_down: { schema: Flag, since: '2.11', in: ['view', 'update'] },
} satisfies Fields

const listQuery = byVersion((version) =>
  queryOf({ host: AnyText, binary: AnyText }, { strict: version >= 2075 }),
)
const Reason = Type.String({ minLength: 1, maxLength: 255 })
const byHostBody = byVersion((version) =>
  Type.Object(
    {
      host: HostName,
      binary: Type.String({ minLength: 1, maxLength: 255 }),
      disabled_reason: Type.Optional(Reason),
      ...(version >= 2011 ? { forced_down: Type.Optional(Flag) } : {}),
    },
    { additionalProperties: false },
  ),
)
const byUuidBody = Type.Object(
  {
    status: Type.Optional(Type.Enum(['enabled', 'disabled'])),
    disabled_reason: Type.Optional(Reason),
    forced_down: Type.Optional(Flag),
  },
  { additionalProperties: false },
)

const rule = (name: string) => `os_compute_api:os-services:${name}`

export const serviceRoutes: readonly Route<HostDeps>[] = [
  { get: '/os-services', policy: rule('list'), query: listQuery, handler: list },
  { put: '/os-services/:id', until: '2.52', policy: rule('update'), body: byHostBody, handler: updateByHost },
  {
    put: '/os-services/:id',
    since: '2.53',
    policy: rule('update'),
    body: byUuidBody,
    handler: async (request: ApiRequest<never>, deps) => ({
      service: serviceView(request, await updateByUuid(request, deps)),
    }),
  },
  { delete: '/os-services/:id', policy: rule('delete'), handler: deleteHostService },
]

async function list(request: ApiRequest<never>, deps: CellDeps) {
  const host = queryValue(request, 'host')
  const binary = queryValue(request, 'binary')
  const { services, away } = await readHostServices(deps, {
    ...(host ? { host } : {}),
    ...(binary ? { binary } : {}),
  })
  const shown: object[] = services.map((service) => serviceView(request, service))
  if (!request.atLeast('2.69')) return { services: shown }
  const unknown = (await listUnknownServices(deps, away)).filter(
    (one) => (!host || one.host === host) && (!binary || one.binary === binary),
  )
  return { services: [...shown, ...unknown] }
}

/** What is known, without their database, of the services of cells that are away. */
async function listUnknownServices({ apiDb }: CellDeps, away: readonly CellDb[]) {
  const hosts = await Promise.all(away.map((cell) => listHostsOfCell(apiDb, cell.id)))
  return hosts.flat().map((host) => ({ binary: 'nova-compute', host, status: 'UNKNOWN' }))
}

function serviceView(request: ApiRequest<never>, service: HostService) {
  return viewAt(serviceFields, [], request.microversion, {
    id: request.atLeast('2.53') ? service.uuid : service.id,
    binary: service.binary,
    host: service.host,
    zone: service.zone,
    status: service.disabled === 1 ? 'disabled' : 'enabled',
    state: service.up ? 'up' : 'down',
    updated_at: showMicroseconds(service.last_seen_up ?? service.created_at),
    disabled_reason: service.disabled_reason,
    forced_down: service.forced_down === 1,
  })
}
