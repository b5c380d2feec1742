/** What other services tell of servers: that Network wired a port, above all. */
import { Type } from 'typebox'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { ExternalEvent } from '../../rpc/conductor.ts'
import { listHostsOf } from '../../store/instances.ts'
import type { CellDeps, EngineDeps } from '../deps.ts'
import { byVersion } from '../schema-types.ts'

const names: readonly (readonly [name: string, since: number])[] = [
  ['network-changed', 0],
  ['network-vif-plugged', 0],
  ['network-vif-unplugged', 0],
  ['network-vif-deleted', 0],
  ['volume-extended', 2051],
  ['power-update', 2076],
  ['accelerator-request-bound', 2082],
  ['volume-reimaged', 2093],
]
const needTag = new Set(['volume-extended', 'accelerator-request-bound', 'volume-reimaged'])

const body = byVersion((version) =>
  Type.Object(
    {
      events: Type.Array(
        Type.Object(
          {
            name: Type.Enum(names.flatMap(([name, since]) => (since <= version ? name : []))),
            server_uuid: Type.String({ format: 'uuid' }),
            status: Type.Optional(Type.Enum(['failed', 'completed', 'in-progress'])),
            tag: Type.Optional(Type.String({ maxLength: 255 })),
          },
          { additionalProperties: false },
        ),
        { minItems: 1 },
      ),
    },
    { additionalProperties: false },
  ),
)

interface EventBody {
  events: { name: string; server_uuid: string; status?: string; tag?: string }[]
}

export const serverExternalEventRoutes: readonly Route<CellDeps & EngineDeps>[] = [
  {
    post: '/os-server-external-events',
    policy: 'os_compute_api:os-server-external-events:create',
    body,
    handler: takeEvents,
  },
]

async function takeEvents(request: ApiRequest<EventBody>, deps: CellDeps & EngineDeps) {
  const { events } = request.body
  const uuids = [...new Set(events.map((event) => event.server_uuid))]
  const hosts = await listHostsOf(deps, uuids)
  const accepted: ExternalEvent[] = []
  const answers = events.map((event) => {
    const host = hosts.get(event.server_uuid)
    if (host === undefined) return { ...event, status: 'failed', code: 404 }
    if (needTag.has(event.name) && event.tag === undefined) return { ...event, status: 'failed', code: 400 }
    if (host === null) return { ...event, status: 'failed', code: 422 }
    const { name, server_uuid: serverUuid, status = 'completed', tag = null } = event
    accepted.push({ name, serverUuid, status, tag })
    return { ...event, status: 'completed', code: 200 }
  })
  await tellConductors(deps, accepted)
  request.setStatus(answers.every(({ code }) => code === 200) ? 200 : 207)
  return { events: answers }
}

async function tellConductors({ conductor }: EngineDeps, events: readonly ExternalEvent[]): Promise<void> {
  const isPlugged = ({ name, tag }: ExternalEvent) => name === 'network-vif-plugged' && tag !== null
  const ports = events
    .filter(isPlugged)
    .map(({ tag, status }) => ({ id: tag!, succeeded: status === 'completed' }))
  const others = events.filter((event) => !isPlugged(event))
  if (ports.length > 0) await conductor.portsPlugged({ ports })
  if (others.length > 0) await conductor.externalEvents({ events: others })
}
