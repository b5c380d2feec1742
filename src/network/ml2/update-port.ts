/** Changes a port: names, addresses, groups, and which host it is bound to. */
import type { Caller } from '../api/caller.ts'
import { conflict, unknown } from '../errors.ts'
import { tellAddresses, tellStatus } from '../events/tell.ts'
import { changeAddresses, renewAutoAddresses } from '../ipam/change-addresses.ts'
import { allocationsOf } from '../store/allocations.ts'
import { lockBindings } from '../store/port-parts.ts'
import { groupsOfPorts } from '../store/security-groups.ts'
import type { PortBindingRow, PortRow } from '../store/tables.ts'
import type { Work } from '../work.ts'
import { bind, isBound } from './binding.ts'
import { assertMacFree } from './create-port.ts'
import type { MechanismDriver } from './mechanism-driver.ts'
import { assertGroups, assertSecurity, mergeDhcpOptions, replaceGroups, replacePairs } from './port-parts.ts'
import type { PortChanges } from './port-values.ts'
import { awaitWiring, forgetWiring } from './provisioning.ts'

export async function updatePort(
  work: Work,
  mechanisms: readonly MechanismDriver[],
  port: PortRow,
  changes: PortChanges,
  caller: Caller,
): Promise<void> {
  const [before] = await lockBindings(work.db, [port.id])
  if (before === undefined) throw unknown.port(port.id)
  const groupsBefore = (await groupsOfPorts(work.db, [port.id])).get(port.id) ?? []
  if (changes.mac_address !== undefined && changes.mac_address !== port.mac_address)
    await assertMacChange(work, port, before, changes.mac_address)
  const after: PortRow = { ...port, ...columns(changes) }
  const addressesChanged = await changeIps(work, after, changes, port)
  const groups = await changeGroups(work, after, changes, groupsBefore, caller)
  const changed = columns(changes)
  if (Object.keys(changed).length > 0)
    await work.db.updateTable('ports').set(changed).where('id', '=', port.id).execute()
  if (changes.allowed_address_pairs !== undefined) {
    const owner = { id: port.id, macAddress: after.mac_address }
    await replacePairs(work, owner, changes.allowed_address_pairs)
  }
  if (changes.extra_dhcp_opts !== undefined)
    await mergeDhcpOptions(work, port.id, changes.extra_dhcp_opts ?? [])
  const hosts = await changeBinding(work, mechanisms, after, changes, before)
  noteChange(work, port, changes, {
    addressesChanged,
    hosts,
    bound: before.host,
    groups: new Set([...groupsBefore, ...groups]),
  })
  if (addressesChanged) await tellAddresses(work, after)
}

/** What is looked at by L2 agents, and what by DHCP agents. */
const wired = [
  'admin_state_up',
  'device_owner',
  'mac_address',
  'port_security_enabled',
  'security_groups',
  'allowed_address_pairs',
] as const
const leased = ['mac_address', 'device_owner', 'dns_name', 'extra_dhcp_opts'] as const

function noteChange(
  work: Work,
  port: PortRow,
  changes: PortChanges,
  what: { addressesChanged: boolean; hosts: readonly string[]; bound: string; groups: ReadonlySet<string> },
): void {
  const { addressesChanged, hosts } = what
  work.changes.views ||= changes.device_id !== undefined && changes.device_id !== port.device_id
  const rewired = addressesChanged || wired.some((name) => changes[name] !== undefined)
  const members =
    addressesChanged || changes.security_groups !== undefined || changes.allowed_address_pairs !== undefined
  const dhcp = addressesChanged || leased.some((name) => changes[name] !== undefined)
  if (!rewired && !dhcp && hosts.length === 0) return
  work.changes.port({
    id: port.id,
    networkId: port.network_id,
    hosts: rewired && hosts.length === 0 && what.bound !== '' ? [what.bound] : hosts,
    groups: members ? [...what.groups] : [],
    dhcp,
    moved: hosts.length > 0 || changes.mac_address !== undefined,
  })
}

/** The columns of `ports` that a change sets. */
function columns(changes: PortChanges): Partial<PortRow> {
  const set: Partial<PortRow> = {}
  if (changes.name !== undefined) set.name = changes.name
  if (changes.description !== undefined) set.description = changes.description
  if (changes.admin_state_up !== undefined) set.admin_state_up = Number(changes.admin_state_up)
  if (changes.device_id !== undefined) set.device_id = changes.device_id
  if (changes.device_owner !== undefined) set.device_owner = changes.device_owner
  if (changes.mac_address !== undefined) set.mac_address = changes.mac_address
  if (changes.dns_name !== undefined) set.dns_name = changes.dns_name
  if (changes.numa_affinity_policy !== undefined) set.numa_affinity_policy = changes.numa_affinity_policy
  if (changes.port_security_enabled !== undefined)
    set.port_security_enabled = Number(changes.port_security_enabled)
  return set
}

async function assertMacChange(
  work: Work,
  port: PortRow,
  binding: PortBindingRow,
  mac: string,
): Promise<void> {
  if (isBound(binding)) {
    throw conflict(
      'PortBound',
      `Unable to complete operation on port ${port.id}, port is already bound, port type: ${binding.vif_type}, old_mac ${port.mac_address}, new_mac ${mac}.`,
    )
  }
  if (port.device_owner.startsWith('network:')) {
    throw conflict(
      'UnsupportedPortDeviceOwner',
      `Operation mac address update is not supported for device_owner ${port.device_owner} on port ${port.id}.`,
    )
  }
  await assertMacFree(work, port.network_id, mac)
}

async function changeIps(
  work: Work,
  after: PortRow,
  changes: PortChanges,
  before: PortRow,
): Promise<boolean> {
  if (changes.fixed_ips !== undefined) return changeAddresses(work, after, changes.fixed_ips)
  if (after.mac_address !== before.mac_address) return renewAutoAddresses(work, after)
  return false
}

async function changeGroups(
  work: Work,
  after: PortRow,
  changes: PortChanges,
  before: readonly string[],
  caller: Caller,
): Promise<readonly string[]> {
  const groups = changes.security_groups ?? before
  if (changes.security_groups !== undefined) await assertGroups(work, groups, after.project_id, caller.admin)
  const pairs =
    changes.allowed_address_pairs ??
    (await work.db
      .selectFrom('allowedaddresspairs')
      .select(['ip_address', 'mac_address'])
      .where('port_id', '=', after.id)
      .execute())
  if (
    changes.port_security_enabled !== undefined ||
    changes.security_groups !== undefined ||
    pairs.length > 0
  ) {
    const ips = (await allocationsOf(work.db, [after.id])).get(after.id) ?? []
    assertSecurity({
      portSecurity: after.port_security_enabled === 1,
      groups,
      pairs,
      hasAddress: ips.length > 0,
      groupsSent: changes.security_groups !== undefined,
    })
  }
  if (changes.security_groups !== undefined) await replaceGroups(work, after.id, groups)
  return groups
}

/** Returns the hosts that wire the port, or did, when that changed. */
async function changeBinding(
  work: Work,
  mechanisms: readonly MechanismDriver[],
  port: PortRow,
  changes: PortChanges,
  before: PortBindingRow,
): Promise<readonly string[]> {
  const host = changes['binding:host_id'] === undefined ? before.host : (changes['binding:host_id'] ?? '')
  const vnicType = changes['binding:vnic_type'] ?? before.vnic_type
  const profile =
    changes['binding:profile'] === undefined
      ? before.profile
      : JSON.stringify(changes['binding:profile'] ?? {})
  const moved = host !== before.host || vnicType !== before.vnic_type
  // A binding that failed is tried again whenever its host is named.
  const retried = before.vif_type === 'binding_failed' && changes['binding:host_id'] !== undefined
  if (!moved && !retried) {
    if (profile === before.profile) return []
    await work.db.updateTable('ml2_port_bindings').set({ profile }).where('port_id', '=', port.id).execute()
    return []
  }
  const wanted = { id: port.id, networkId: port.network_id, host, vnicType, profile }
  const binding = await bind(work, mechanisms, wanted)
  await work.db.updateTable('ml2_port_bindings').set(binding).where('port_id', '=', port.id).execute()
  await work.db.updateTable('ports').set({ status: 'DOWN' }).where('id', '=', port.id).execute()
  if (port.status === 'ACTIVE' && isBound(binding)) await tellStatus(work, { ...port, status: 'DOWN' })
  if (isBound(binding)) await awaitWiring(work, port.id)
  else await forgetWiring(work, port.id)
  return [...new Set([before.host, host])].filter((each) => each !== '')
}
