/** The ports that DHCP agents themselves have on the networks they serve. */
import { system } from '../api/caller.ts'
import { unknown } from '../errors.ts'
import { changeAddresses } from '../ipam/change-addresses.ts'
import { createPort } from '../ml2/create-port.ts'
import { deletePort } from '../ml2/delete-port.ts'
import type { MechanismDriver } from '../ml2/mechanism-driver.ts'
import { noteAddresses } from '../ml2/note-addresses.ts'
import { partsOfPorts } from '../store/port-parts.ts'
import type { PortRow } from '../store/tables.ts'
import type { Work } from '../work.ts'
import type { WantedDhcpNetwork } from './agents.ts'
import { dhcpDeviceId } from './dhcp-device-id.ts'
import { fixedIps } from './wanted-ports.ts'

/** Makes the agent's port on a network, or gives it the addresses that it lacks. */
export async function ensureDhcpPort(
  work: Work,
  mechanisms: readonly MechanismDriver[],
  host: string,
  networkId: string,
): Promise<NonNullable<WantedDhcpNetwork['dhcpPort']>> {
  const network = await work.db
    .selectFrom('networks')
    .select('project_id')
    .where('id', '=', networkId)
    .executeTakeFirst()
  if (network === undefined) throw unknown.network(networkId)
  const subnets = await work.db
    .selectFrom('subnets')
    .select('id')
    .where('network_id', '=', networkId)
    .where('enable_dhcp', '=', 1)
    .execute()
  const wanted = subnets.map((subnet) => ({ subnet_id: subnet.id }))
  const port = await findDhcpPort(work, host, networkId)
  if (port === undefined) {
    const made = await createPort(
      work,
      mechanisms,
      {
        project_id: network.project_id,
        network_id: networkId,
        device_id: dhcpDeviceId(host, networkId),
        device_owner: 'network:dhcp',
        fixed_ips: wanted,
        security_groups: [],
        'binding:host_id': host,
      },
      system,
    )
    return describe(work, made.row)
  }
  if (await changeAddresses(work, port, wanted)) await noteAddresses(work, [port])
  return describe(work, port)
}

async function describe(work: Work, port: PortRow): Promise<NonNullable<WantedDhcpNetwork['dhcpPort']>> {
  const { addresses } = (await partsOfPorts(work.db, [port.id], ['address']))(port.id)
  return { id: port.id, macAddress: port.mac_address, fixedIps: fixedIps(addresses) }
}

/** Removes the agent's port; one that is not there is no error. */
export async function releaseDhcpPort(work: Work, host: string, networkId: string): Promise<void> {
  const port = await findDhcpPort(work, host, networkId)
  if (port !== undefined) await deletePort(work, port)
}

const findDhcpPort = (work: Work, host: string, networkId: string): Promise<PortRow | undefined> =>
  work.db
    .selectFrom('ports')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('device_owner', '=', 'network:dhcp')
    .where('device_id', '=', dhcpDeviceId(host, networkId))
    .executeTakeFirst()
