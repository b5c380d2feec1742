/** The networks whose DHCP one host serves, with everybody who may ask there. */
import type { Kysely } from 'kysely'
import type { NetworkOptions } from '../config.ts'
import { dhcpAgentType } from '../store/agents.ts'
import { allocationsOf } from '../store/allocations.ts'
import { readDhcpOptions } from '../store/port-parts.ts'
import { groupBy, inSlices } from '../store/slices.ts'
import type { PortRow, SubnetRow, Tables } from '../store/tables.ts'
import type { WantedDhcpNetwork, WantedSubnet } from './agents.ts'
import { dhcpDeviceId } from './dhcp-ports.ts'
import { fixedIps, prefixLengthsOf } from './wanted-l2.ts'

export async function wantedDhcp(
  deps: { db: Kysely<Tables>; options: NetworkOptions },
  host: string,
): Promise<WantedDhcpNetwork[]> {
  const { db, options } = deps
  const networks = await db
    .selectFrom('networks')
    .innerJoin('networkdhcpagentbindings', 'networkdhcpagentbindings.network_id', 'networks.id')
    .innerJoin('agents', 'agents.id', 'networkdhcpagentbindings.dhcp_agent_id')
    .select(['networks.id', 'networks.mtu'])
    .where('agents.host', '=', host)
    .where('agents.agent_type', '=', dhcpAgentType)
    .where('agents.admin_state_up', '=', 1)
    .where('networks.admin_state_up', '=', 1)
    .orderBy('networks.id')
    .execute()
  const ids = networks.map((network) => network.id)
  const subnets = groupBy(
    await inSlices(ids, (slice) =>
      db.selectFrom('subnets').selectAll().where('network_id', 'in', slice).orderBy('id').execute(),
    ),
    (subnet) => subnet.network_id,
  )
  const ports = groupBy(
    await inSlices(ids, (slice) =>
      db.selectFrom('ports').selectAll().where('network_id', 'in', slice).orderBy('id').execute(),
    ),
    (port) => port.network_id,
  )
  const clients = await describeClients(db, [...ports.values()].flat())
  return networks.map((network) => {
    const own = subnets.get(network.id) ?? []
    const device = dhcpDeviceId(host, network.id)
    const all = ports.get(network.id) ?? []
    const agentPort = all.find((port) => port.device_id === device)
    return {
      id: network.id,
      mtu: network.mtu,
      dnsDomain: options.dnsDomain,
      subnets: own.map(viewSubnet),
      dhcpPort: agentPort === undefined ? null : fittingPort(clients.get(agentPort.id)!, own),
      ports: all.filter((port) => port.device_owner !== 'network:dhcp').map((port) => clients.get(port.id)!),
    }
  })
}

type Client = WantedDhcpNetwork['ports'][number]

async function describeClients(db: Kysely<Tables>, ports: readonly PortRow[]): Promise<Map<string, Client>> {
  const ids = ports.map((port) => port.id)
  const ips = await allocationsOf(db, ids)
  const prefixLengths = await prefixLengthsOf(db, [...ips.values()].flat())
  const options = groupBy(await readDhcpOptions(db, ids), (option) => option.port_id)
  return new Map(
    ports.map((port) => [
      port.id,
      {
        id: port.id,
        macAddress: port.mac_address,
        deviceOwner: port.device_owner,
        dnsName: port.dns_name,
        fixedIps: fixedIps(ips.get(port.id) ?? [], prefixLengths),
        extraDhcpOptions: (options.get(port.id) ?? []).map((option) => ({
          name: option.opt_name,
          value: option.opt_value,
          ipVersion: option.ip_version === 6 ? 6 : 4,
        })),
      },
    ]),
  )
}

/** A port without an address on a subnet that wants DHCP is as good as none: the agent asks for it again. */
function fittingPort(port: Client, subnets: readonly SubnetRow[]): WantedDhcpNetwork['dhcpPort'] {
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
