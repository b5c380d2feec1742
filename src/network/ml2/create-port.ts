/** Makes a port: its addresses, MAC, groups and binding, in one transaction. */
import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import { newUuid } from '../../base/ids.ts'
import type { Caller } from '../api/caller.ts'
import { macAddressInUse, unknown } from '../errors.ts'
import { chooseAddresses } from '../ipam/allocate.ts'
import { agentsFor, isDhcpServed, workingAgents } from '../store/agents.ts'
import { insertAllocations } from '../store/allocations.ts'
import { noParts, type ShownParts } from '../store/port-parts.ts'
import { ensureDefaultGroup } from '../store/security-groups.ts'
import { newStandard } from '../store/standard.ts'
import type { AgentRow, PortRow, SegmentRow, Tables } from '../store/tables.ts'
import type { Work } from '../work.ts'
import { bind, isBound } from './binding.ts'
import type { MechanismDriver } from './mechanism-driver.ts'
import {
  assertGroups,
  assertSecurity,
  insertGroups,
  isTrusted,
  mergeDhcpOptions,
  randomMac,
  replacePairs,
} from './port-parts.ts'
import type { NewPort } from './port-values.ts'
import { awaitFirst } from './provisioning.ts'

// The network once for each of its segments, or once.
const readNetwork = statement((db: Db<Tables>, p: { id: string }) =>
  db
    .selectFrom('networks')
    .leftJoin('networksegments as segment', 'segment.network_id', 'networks.id')
    .select([
      'networks.id',
      'networks.port_security_enabled',
      'segment.id as segment_id',
      'segment.network_type',
      'segment.physical_network',
      'segment.segmentation_id',
      'segment.segment_index',
    ])
    .where('networks.id', '=', p.id)
    .orderBy('segment.segment_index'),
)
type NetworkSegment = Awaited<ReturnType<typeof readNetwork>>['rows'][number]

const toSegment = (row: NetworkSegment): SegmentRow[] =>
  row.segment_id === null
    ? []
    : [
        {
          id: row.segment_id,
          network_id: row.id,
          network_type: row.network_type!,
          physical_network: row.physical_network,
          segmentation_id: row.segmentation_id,
          segment_index: row.segment_index!,
        },
      ]

const insertPort = insertStatement<Tables, 'ports'>('ports')
const insertBinding = insertStatement<Tables, 'ml2_port_bindings'>('ml2_port_bindings')

export interface MadePort {
  row: PortRow
  /** Undefined where they must be read: they were not stored as they were given. */
  parts: ShownParts | undefined
}

/** Returns the port. Whether the caller may use the network is the API's business. */
export async function createPort(
  work: Work,
  mechanisms: readonly MechanismDriver[],
  port: NewPort,
  caller: Caller,
): Promise<MadePort> {
  const { rows } = await readNetwork(work.db, { id: port.network_id })
  const network = rows[0]
  if (network === undefined) throw unknown.network(port.network_id)
  const id = newUuid()
  const deviceOwner = port.device_owner ?? ''
  const trusted = isTrusted(deviceOwner)
  const portSecurity = port.port_security_enabled ?? (network.port_security_enabled === 1 && !trusted)
  const macAddress = port.mac_address ?? randomMac(work.options.baseMac)
  if (port.mac_address !== undefined) await assertMacFree(work, network.id, macAddress)
  const groups = await groupsFor(work, port, trusted || !portSecurity, caller)
  const pairs = port.allowed_address_pairs ?? []
  const addressed = { networkId: network.id, macAddress, deviceOwner }
  const ips = await chooseAddresses(work, addressed, port.fixed_ips)
  const groupsSent = port.security_groups !== undefined
  assertSecurity({
    portSecurity: portSecurity || trusted,
    groups,
    pairs,
    hasAddress: ips.length > 0,
    groupsSent,
  })
  const row: PortRow = {
    ...newStandard(work, id, port.project_id, port.description),
    name: port.name ?? '',
    network_id: network.id,
    mac_address: macAddress,
    admin_state_up: Number(port.admin_state_up ?? true),
    status: 'DOWN',
    device_id: port.device_id ?? '',
    device_owner: deviceOwner,
    ip_allocation: ips.length > 0 || port.fixed_ips === undefined ? 'immediate' : 'none',
    port_security_enabled: Number(portSecurity),
    dns_name: port.dns_name ?? '',
    propagate_uplink_status: Number(port.propagate_uplink_status ?? true),
    numa_affinity_policy: port.numa_affinity_policy ?? null,
  }
  await insertPort(work.db, row)
  await insertAllocations(work.db, { id, networkId: network.id }, ips)
  await insertGroups(work, id, groups)
  if (pairs.length > 0) await replacePairs(work, { id, macAddress }, pairs)
  const options = port.extra_dhcp_opts ?? []
  if (options.length > 0) await mergeDhcpOptions(work, id, options)
  const host = port['binding:host_id'] ?? ''
  // The network's own ports do not wait for DHCP, nor do those without an address.
  const leased = ips.length > 0 && !trusted
  const { agents, dhcpServed } = await agentsOf(work, { host, networkId: network.id }, leased)
  const binding = await bind(work, mechanisms, {
    id,
    networkId: network.id,
    host,
    vnicType: port['binding:vnic_type'] ?? 'normal',
    profile: JSON.stringify(port['binding:profile'] ?? {}),
    segments: rows.flatMap(toSegment),
    agents,
  })
  await insertBinding(work.db, binding)
  const bound = isBound(binding)
  await awaitFirst(work, id, { wiring: bound, dhcp: dhcpServed })
  work.changes.port({
    id,
    networkId: network.id,
    hosts: bound ? [host] : [],
    groups,
    dhcp: ips.length > 0,
    moved: bound,
  })
  if (pairs.length + options.length > 0) return { row, parts: undefined }
  return { row, parts: { ...noParts(), addresses: ips, groups: [...new Set(groups)].sort(), binding } }
}

/** The working agents of the port's host, and whether its network's DHCP is served, as far as it is `leased`. */
async function agentsOf(
  work: Work,
  port: { host: string; networkId: string },
  leased: boolean,
): Promise<{ agents: AgentRow[]; dhcpServed: boolean }> {
  const { db, now, options } = work
  if (port.host === '')
    return { agents: [], dhcpServed: leased && (await isDhcpServed(db, port.networkId, now, options)) }
  if (leased) return await agentsFor(db, port, now, options)
  return { agents: await workingAgents(db, port.host, now, options), dhcpServed: false }
}

async function groupsFor(
  work: Work,
  port: NewPort,
  unfiltered: boolean,
  caller: Caller,
): Promise<readonly string[]> {
  if (port.security_groups !== undefined) {
    await assertGroups(work, port.security_groups, port.project_id, caller.admin)
    return port.security_groups
  }
  if (unfiltered || !work.options.enableSecurityGroup || port.project_id === '') return []
  return [await ensureDefaultGroup(work, port.project_id)]
}

/** Throws when another port of the network has the MAC. */
export async function assertMacFree(work: Work, networkId: string, macAddress: string): Promise<void> {
  const taken = await work.db
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', networkId)
    .where('mac_address', '=', macAddress)
    .executeTakeFirst()
  if (taken !== undefined) throw macAddressInUse(networkId, macAddress)
}
