/** Agents tell that they live: the first time, after a pause, and every half minute. */
import { newUuid } from '../../base/ids.ts'
import { scheduleAllDhcp } from '../dhcp/schedule.ts'
import { bind, isBound } from '../ml2/binding.ts'
import type { MechanismDriver } from '../ml2/mechanism-driver.ts'
import { awaitWiring } from '../ml2/provisioning.ts'
import { dhcpAgentType, isAlive } from '../store/agents.ts'
import { lockBindings } from '../store/port-parts.ts'
import type { AgentRow } from '../store/tables.ts'
import type { Work } from '../work.ts'
import type { AgentReport } from './agents.ts'
import { tunnelIp } from './wanted-forwarding.ts'

/** `known`: it was there and alive before. */
export async function reportState(
  work: Work,
  mechanisms: readonly MechanismDriver[],
  report: AgentReport,
): Promise<{ known: boolean }> {
  const before = await work.db
    .selectFrom('agents')
    .selectAll()
    .where('agent_type', '=', report.agentType)
    .where('host', '=', report.host)
    .executeTakeFirst()
  const told = {
    binary: report.binary,
    topic: report.topic,
    configurations: JSON.stringify(report.configurations),
    availability_zone: report.availabilityZone ?? null,
    heartbeat_timestamp: work.now,
  }
  if (before === undefined) {
    const row: AgentRow = {
      id: newUuid(),
      agent_type: report.agentType,
      host: report.host,
      admin_state_up: 1,
      description: null,
      created_at: work.now,
      started_at: work.now,
      ...told,
    }
    await work.db.insertInto('agents').values(row).execute()
  } else {
    const set = report.started ? { ...told, started_at: work.now } : told
    await work.db.updateTable('agents').set(set).where('id', '=', before.id).execute()
  }
  const known = before !== undefined && isAlive(before, work.now, work.options)
  const tunnelBefore = known ? tunnelIp(before.configurations) : undefined
  if (tunnelIp(told.configurations) !== tunnelBefore) work.changes.tunnelHosts.add(report.host)
  if (known && !report.started) return { known }
  if (report.agentType === dhcpAgentType) await scheduleAllDhcp(work)
  else await rebindFailed(work, mechanisms, report.host)
  return { known }
}

// Ports that were to be bound to the host before its agent was there.
async function rebindFailed(work: Work, mechanisms: readonly MechanismDriver[], host: string): Promise<void> {
  const failed = await work.db
    .selectFrom('ml2_port_bindings')
    .innerJoin('ports', 'ports.id', 'ml2_port_bindings.port_id')
    .select(['ports.id', 'ports.network_id', 'ml2_port_bindings.vnic_type', 'ml2_port_bindings.profile'])
    .where('ml2_port_bindings.host', '=', host)
    .where('ml2_port_bindings.vif_type', '=', 'binding_failed')
    .execute()
  for (const port of failed) {
    const [current] = await lockBindings(work.db, [port.id])
    if (current?.host !== host || isBound(current)) continue
    const binding = await bind(work, mechanisms, {
      id: port.id,
      networkId: port.network_id,
      host,
      vnicType: port.vnic_type,
      profile: port.profile,
    })
    if (!isBound(binding)) continue
    await work.db.updateTable('ml2_port_bindings').set(binding).where('port_id', '=', port.id).execute()
    await awaitWiring(work, port.id)
    work.changes.port({
      id: port.id,
      networkId: port.network_id,
      hosts: [host],
      groups: [],
      dhcp: false,
      moved: true,
    })
  }
}
