/** What a cloud holds for its servers: at rest, each server has one of everything, and nothing is held for any other. */
import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'

export interface Server {
  id: string
  status: string
  taskState: string | null
  host: string | null
  fault: string | undefined
}

export async function listServers(admin: Person): Promise<Server[]> {
  const { servers } = ok(await admin.compute('GET', '/servers/detail?all_tenants=1'))
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the API.
  return servers.map((server: any) => ({
    id: server.id,
    status: server.status,
    taskState: server['OS-EXT-STS:task_state'],
    host: server['OS-EXT-SRV-ATTR:host'],
    fault: server.fault?.message,
  }))
}

/** Whether nobody works on it any more. */
export const isSettled = ({ status, taskState }: Server): boolean =>
  (status === 'ACTIVE' || status === 'ERROR') && taskState === null

/** Where guests and their taps really are, by host. */
export interface HostHoldings {
  /** Ids of servers. */
  guests: readonly string[]
  taps: readonly string[]
}

/** Names everything that a server should have and has not, or has twice, and all that belongs to none. */
export async function findDisorder(
  admin: Person,
  servers: readonly Server[],
  hosts: Readonly<Record<string, HostHoldings>>,
): Promise<string[]> {
  const found: string[] = []
  const known = new Map(servers.map((server) => [server.id, server]))
  const expect = (kind: string, held: ReadonlyMap<string, number>, of: (server: Server) => number): void => {
    for (const [id, count] of held) if (!known.has(id)) found.push(`${count} ${kind} of ${id}, which is gone`)
    for (const server of servers) {
      const count = held.get(server.id) ?? 0
      if (count !== of(server)) found.push(`${count} ${kind} of ${server.id} (${server.status})`)
    }
  }
  const ifActive = ({ status }: Server) => (status === 'ACTIVE' ? 1 : 0)
  const { ports } = ok(await admin.network('GET', '/ports'))
  type Port = {
    id: string
    device_id: string
    device_owner: string
    status: string
    'binding:host_id': string
  }
  const ofServers = (ports as Port[]).filter(({ device_owner }) => device_owner.startsWith('compute:'))
  const ofActive = ofServers.filter(({ device_id }) => known.get(device_id)?.status !== 'ERROR')
  expect('ports', count(ofActive.map((port) => port.device_id)), ifActive)
  for (const port of ofActive) {
    const host = known.get(port.device_id)?.host
    if (port['binding:host_id'] !== host || port.status !== 'ACTIVE')
      found.push(`port ${port.id} is ${port.status} on ${port['binding:host_id']}, its server on ${host}`)
  }
  expect('allocations', count(await listConsumers(admin)), ifActive)
  const all = Object.entries(hosts)
  expect('guests', count(all.flatMap(([, { guests }]) => guests)), ifActive)
  for (const [host, { guests, taps }] of all) {
    for (const id of guests)
      if (known.get(id)?.host !== host)
        found.push(`guest ${id} on ${host}, its server on ${known.get(id)?.host}`)
    const wanted = new Set(
      ofActive
        .filter((port) => known.get(port.device_id)?.host === host)
        .map(({ id }) => `tap${id.slice(0, 11)}`),
    )
    for (const tap of taps) if (!wanted.delete(tap)) found.push(`tap ${tap} on ${host}`)
    for (const tap of wanted) found.push(`no tap ${tap} on ${host}`)
  }
  return found
}

/** Once for each provider that something is allocated of. */
async function listConsumers(admin: Person): Promise<string[]> {
  const consumers: string[] = []
  const { resource_providers: providers } = ok(await admin.placement('GET', '/resource_providers'))
  for (const { uuid } of providers) {
    const { allocations } = ok(await admin.placement('GET', `/resource_providers/${uuid}/allocations`))
    consumers.push(...Object.keys(allocations))
  }
  return consumers
}

function count(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
