/** What a cloud holds for its servers: at rest, each server has one of everything, and nothing is held for any other. */
import type { Person } from '../../../src/testing/cloud-people.ts'
import { ok } from '../../../src/testing/first-things.ts'
import type { AllocationsAnswer, PortsAnswer, ProvidersAnswer, ServersAnswer } from './answers.ts'

export interface Server {
  id: string
  status: string
  taskState: string | null
  host: string | null
  fault: string | undefined
}

export async function listServers(admin: Person): Promise<Server[]> {
  const { servers }: ServersAnswer = ok(await admin.compute('GET', '/servers/detail?all_tenants=1'))
  return servers.map((server) => ({
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

/** What a host really has. */
export interface HostHoldings {
  /** Ids of servers whose guests run. */
  guests: readonly string[]
  taps: readonly string[]
  /** Ids of servers with files, and of those that the hypervisor knows; a simulated host has neither. */
  disks?: readonly string[]
  domains?: readonly string[]
  /** Taps that the packet filter has rules for; a simulated host has no packet filter. */
  filtered?: readonly string[]
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
  const { ports }: PortsAnswer = ok(await admin.network('GET', '/ports'))
  const ofServers = ports.filter(({ device_owner }) => device_owner.startsWith('compute:'))
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
  for (const [host, { guests, disks = guests, domains = guests, taps, filtered = taps }] of all) {
    const here = servers.filter((server) => server.host === host && server.status === 'ACTIVE')
    const ids = new Set(here.map(({ id }) => id))
    const wired = ofActive.filter((port) => ids.has(port.device_id))
    const tapNames = new Set(wired.map(({ id }) => `tap${id.slice(0, 11)}`))
    const compare = (what: string, held: readonly string[], wanted: ReadonlySet<string>): void => {
      const has = new Set(held)
      for (const one of has.difference(wanted)) found.push(`${what} ${one} on ${host}, where it has no place`)
      for (const one of wanted.difference(has)) found.push(`no ${what} ${one} on ${host}`)
    }
    compare('guest', guests, ids)
    compare('domain', domains, ids)
    compare('disks of', disks, ids)
    compare('tap', taps, tapNames)
    compare('rules of', filtered, tapNames)
  }
  return found
}

/** Once for each provider that something is allocated of. */
async function listConsumers(admin: Person): Promise<string[]> {
  const consumers: string[] = []
  const { resource_providers: providers }: ProvidersAnswer = ok(
    await admin.placement('GET', '/resource_providers'),
  )
  for (const { uuid } of providers) {
    const { allocations }: AllocationsAnswer = ok(
      await admin.placement('GET', `/resource_providers/${uuid}/allocations`),
    )
    consumers.push(...Object.keys(allocations))
  }
  return consumers
}

function count(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
