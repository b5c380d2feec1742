/** The networks whose DHCP one host serves, and who may ask there: all of it, or what changed since the agent last asked. */
import type { Kysely } from 'kysely'
import { statement } from '../../base/db/statement.ts'
import type { NetworkOptions } from '../config.ts'
import { dhcpAgentType } from '../store/agents.ts'
import { byIds } from '../store/by-ids.ts'
import { partsOfPorts } from '../store/port-parts.ts'
import { groupBy } from '../store/slices.ts'
import type { PortRow, SubnetRow, Tables } from '../store/tables.ts'
import type { DhcpClient, Since, WantedDhcp, WantedDhcpNetwork, WantedSubnet } from './agents.ts'
import type { Changes } from './changes.ts'
import { changesSince } from './changes-since.ts'
import { dhcpDeviceId } from './dhcp-device-id.ts'
import { fixedIps } from './wanted-ports.ts'

interface Deps {
  db: Kysely<Tables>
  options: NetworkOptions
}

type Content = Omit<WantedDhcp, 'revision' | 'whole'>

const agentsOwnPort = 'network:dhcp'

export async function wantedDhcp(
  deps: Deps,
  { host, revision: since, networks: known }: Since & { networks: readonly string[] },
): Promise<WantedDhcp> {
  const { revision, changes } = await changesSince(deps.db, since)
  if (changes !== undefined) return { revision, whole: false, ...(await part(deps, host, changes, known)) }
  const networks = await viewNetworks(deps, host, await servedBy(deps.db, host))
  return { revision, whole: true, networks, goneNetworks: [], ports: [], gonePorts: [] }
}

async function part(deps: Deps, host: string, changes: Changes, known: readonly string[]): Promise<Content> {
  const { db } = deps
  const told = new Set(known)
  const changed = [...changes.ports.values()].filter((port) => port.dhcp && told.has(port.networkId))
  const rows = await portsById(
    db,
    changed.map((port) => port.id),
  )
  const anew = new Set(known.filter((id) => changes.networks.has(id)))
  // The network's own DHCP port is part of its description.
  for (const row of rows) if (row.device_owner === agentsOwnPort) anew.add(row.network_id)
  const goneNetworks: string[] = []
  let networks: WantedDhcpNetwork[] = []
  if (anew.size > 0 || changes.dhcpHosts.has(host)) {
    const served = await servedBy(db, host)
    const ids = new Set(served.map((row) => row.id))
    for (const id of ids) if (!told.has(id)) anew.add(id)
    for (const id of told) if (!ids.has(id)) goneNetworks.push(id)
    networks = await viewNetworks(
      deps,
      host,
      served.filter((row) => anew.has(row.id)),
    )
  }
  const there = new Set(rows.map((row) => row.id))
  const clients = await describeClients(
    db,
    rows.filter((row) => row.device_owner !== agentsOwnPort && !anew.has(row.network_id)),
  )
  return {
    networks,
    goneNetworks,
    ports: clients.map(([row, client]) => ({ ...client, networkId: row.network_id })),
    gonePorts: changed
      .filter((port) => !there.has(port.id))
      .map((port) => ({ id: port.id, networkId: port.networkId })),
  }
}

const readServed = statement((db: Kysely<Tables>, p: { host: string }) =>
  db
    .selectFrom('networks')
    .innerJoin('networkdhcpagentbindings', 'networkdhcpagentbindings.network_id', 'networks.id')
    .innerJoin('agents', 'agents.id', 'networkdhcpagentbindings.dhcp_agent_id')
    .select(['networks.id', 'networks.mtu'])
    .where('agents.host', '=', p.host)
    .where('agents.agent_type', '=', dhcpAgentType)
    .where('agents.admin_state_up', '=', 1)
    .where('networks.admin_state_up', '=', 1)
    .orderBy('networks.id'),
)

interface ServedRow {
  id: string
  mtu: number
}

const servedBy = async (db: Kysely<Tables>, host: string): Promise<ServedRow[]> =>
  (await readServed(db, { host })).rows

const subnetsOf = byIds((db, ids) =>
  db.selectFrom('subnets').selectAll().where('network_id', 'in', ids).orderBy('id'),
)
const portsOf = byIds((db, ids) =>
  db.selectFrom('ports').selectAll().where('network_id', 'in', ids).orderBy('id'),
)
const portsById = byIds((db, ids) => db.selectFrom('ports').selectAll().where('id', 'in', ids))

async function viewNetworks(
  deps: Deps,
  host: string,
  networks: readonly ServedRow[],
): Promise<WantedDhcpNetwork[]> {
  const { db, options } = deps
  const ids = networks.map((network) => network.id)
  const subnets = groupBy(await subnetsOf(db, ids), (subnet) => subnet.network_id)
  const ports = groupBy(await describeClients(db, await portsOf(db, ids)), ([row]) => row.network_id)
  return networks.map((network) => {
    const own = subnets.get(network.id) ?? []
    const device = dhcpDeviceId(host, network.id)
    const all = ports.get(network.id) ?? []
    const agentPort = all.find(([row]) => row.device_id === device)
    return {
      id: network.id,
      mtu: network.mtu,
      dnsDomain: options.dnsDomain,
      subnets: own.map(viewSubnet),
      dhcpPort: agentPort === undefined ? null : fittingPort(agentPort[1], own),
      ports: all.filter(([row]) => row.device_owner !== agentsOwnPort).map(([, client]) => client),
    }
  })
}

async function describeClients(
  db: Kysely<Tables>,
  ports: readonly PortRow[],
): Promise<[PortRow, DhcpClient][]> {
  const ids = ports.map((port) => port.id)
  const partsOf = await partsOfPorts(db, ids, ['address', 'option'])
  return ports.map((port) => {
    const { addresses, options } = partsOf(port.id)
    const client: DhcpClient = {
      id: port.id,
      macAddress: port.mac_address,
      deviceOwner: port.device_owner,
      dnsName: port.dns_name,
      fixedIps: fixedIps(addresses),
      extraDhcpOptions: options.map((option) => ({
        name: option.opt_name,
        value: option.opt_value,
        ipVersion: option.ip_version === 6 ? 6 : 4,
      })),
    }
    return [port, client]
  })
}

/** A port without an address on a subnet that wants DHCP is as good as none: the agent asks for it again. */
function fittingPort(port: DhcpClient, subnets: readonly SubnetRow[]): WantedDhcpNetwork['dhcpPort'] {
  const served = new Set(port.fixedIps.map((ip) => ip.subnetId))
  const complete = subnets.every((subnet) => subnet.enable_dhcp === 0 || served.has(subnet.id))
  return complete ? { id: port.id, macAddress: port.macAddress, fixedIps: port.fixedIps } : null
}

const viewSubnet = (row: SubnetRow): WantedSubnet => ({
  id: row.id,
  cidr: row.cidr,
  ipVersion: row.ip_version === 6 ? 6 : 4,
  gatewayIp: row.gateway_ip,
  enableDhcp: row.enable_dhcp === 1,
  dnsNameservers: JSON.parse(row.dns_nameservers) as string[],
  hostRoutes: JSON.parse(row.host_routes) as WantedSubnet['hostRoutes'],
  ipv6RaMode: row.ipv6_ra_mode,
  ipv6AddressMode: row.ipv6_address_mode,
})
