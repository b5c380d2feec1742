/** L2 population: the ports of vxlan networks that live on other hosts, and where those hosts' tunnels end. */
import type { Kysely } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import type { NetworkOptions } from '../config.ts'
import { isAlive } from '../store/agents.ts'
import { byIds } from '../store/by-ids.ts'
import { inSlices } from '../store/slices.ts'
import type { Tables } from '../store/tables.ts'
import { type PlacedPort, type RemotePort, seenFrom } from './agents.ts'

export interface ForwardingDeps {
  db: Kysely<Tables>
  options: NetworkOptions
  now: () => string
}

/** Where a host's tunnels end, by what its bridge agent reports; undefined for one without. */
export function tunnelIp(configurations: string): string | undefined {
  const { tunneling_ip: ip, tunnel_types: types } = JSON.parse(configurations) as {
    tunneling_ip?: string
    tunnel_types?: string[]
  }
  return ip && types?.includes('vxlan') ? ip : undefined
}

interface PlacedRow {
  id: string
  network_id: string
  mac_address: string
  host: string
}

const placed = (db: Kysely<Tables>) =>
  db
    .selectFrom('ports')
    .innerJoin('ml2_port_bindings', 'ml2_port_bindings.port_id', 'ports.id')
    .select(['ports.id', 'ports.network_id', 'ports.mac_address', 'ml2_port_bindings.host'])
    .where('ml2_port_bindings.segment_id', 'is not', null)

/** All ports of these networks that live elsewhere than on `host`. */
export async function remotePortsOf(
  deps: ForwardingDeps,
  host: string,
  networkIds: readonly string[],
): Promise<RemotePort[]> {
  const rows = await inSlices(networkIds, (slice) =>
    placed(deps.db)
      .where('ml2_port_bindings.host', '<>', host)
      .where('ports.network_id', 'in', slice)
      .execute(),
  )
  return (await locate(deps, rows)).map((port) => seenFrom(host, port))
}

const readPlaced = byIds((db, ids) => placed(db as Kysely<Tables>).where('ports.id', 'in', ids))

/** Where these ports are now; those that are gone are nowhere. */
export async function placesOfAll(
  deps: ForwardingDeps,
  ports: readonly { id: string; networkId: string }[],
): Promise<PlacedPort[]> {
  const ids = ports.map((port) => port.id)
  const found = await locate(deps, await readPlaced(deps.db, ids))
  const there = new Set(found.map((port) => port.portId))
  const gone = ports
    .filter((port) => !there.has(port.id))
    .map((port) => ({ portId: port.id, networkId: port.networkId, macAddress: '', tunnelIp: null, host: '' }))
  return [...found, ...gone]
}

/** The same as `host` sees it, on which they are none of the others'. */
export const placesOf = async (
  deps: ForwardingDeps,
  host: string,
  ports: readonly { id: string; networkId: string }[],
): Promise<RemotePort[]> => (await placesOfAll(deps, ports)).map((port) => seenFrom(host, port))

/** The ports of these networks on hosts whose tunnels end somewhere else now. */
export async function remotePortsOn(
  deps: ForwardingDeps,
  host: string,
  tunnelHosts: readonly string[],
  networkIds: readonly string[],
): Promise<RemotePort[]> {
  const others = tunnelHosts.filter((other) => other !== host)
  const rows = await inSlices(networkIds, async (slice) =>
    others.length === 0
      ? []
      : placed(deps.db)
          .where('ml2_port_bindings.host', 'in', others)
          .where('ports.network_id', 'in', slice)
          .execute(),
  )
  const found = (await locate(deps, rows)).map((port) => seenFrom(host, port))
  const there = new Set(found.map((port) => port.portId))
  const lost = rows.filter((row) => !there.has(row.id))
  return [
    ...found,
    ...lost.map((row) => ({
      portId: row.id,
      networkId: row.network_id,
      macAddress: row.mac_address,
      tunnelIp: null,
    })),
  ]
}

async function locate(deps: ForwardingDeps, rows: readonly PlacedRow[]): Promise<PlacedPort[]> {
  if (rows.length === 0) return []
  const ends = await tunnelEnds(deps)
  return rows.flatMap(({ id, network_id: networkId, mac_address: macAddress, host }) => {
    const tunnelIp = ends.get(host)
    return tunnelIp === undefined ? [] : [{ portId: id, networkId, macAddress, tunnelIp, host }]
  })
}

const readAgents = statement((db: Kysely<Tables>, _: object) =>
  db
    .selectFrom('agents')
    .select(['host', 'configurations', 'heartbeat_timestamp'])
    .where('agent_type', '=', 'Linux bridge agent'),
)

/** Where the tunnels of hosts end. */
async function tunnelEnds(deps: ForwardingDeps): Promise<Map<string, string>> {
  const { rows } = await readAgents(deps.db, {})
  const ends = new Map<string, string>()
  const now = deps.now()
  for (const agent of rows) {
    if (!isAlive(agent, now, deps.options)) continue
    const ip = tunnelIp(agent.configurations)
    if (ip !== undefined) ends.set(agent.host, ip)
  }
  return ends
}
