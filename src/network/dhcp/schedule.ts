/** Which DHCP agents serve which networks. */
import { dhcpAgentType, isAlive } from '../store/agents.ts'
import type { AgentRow } from '../store/tables.ts'
import { takeTurn } from '../store/turns.ts'
import type { Work } from '../work.ts'

/** Gives a network that wants DHCP as many agents as it should have; those that serve the fewest first. */
export async function scheduleDhcp(work: Work, networkId: string): Promise<void> {
  if (!work.options.networkAutoSchedule) return
  const wants = await work.db
    .selectFrom('subnets')
    .select('id')
    .where('network_id', '=', networkId)
    .where('enable_dhcp', '=', 1)
    .executeTakeFirst()
  if (wants === undefined || (await chooseAgents(work, networkId)).length === 0) return
  // Another server may be choosing for the same network: who comes second must see what the first chose.
  await takeTurn(work.db, 'dhcp-scheduling')
  for (const agent of await chooseAgents(work, networkId)) await bindDhcp(work, networkId, agent)
}

/** The agents that a network lacks, as far as there are any. */
async function chooseAgents(work: Work, networkId: string): Promise<AgentRow[]> {
  const candidates = await workingDhcpAgents(work)
  const bound = await boundAgents(work, networkId)
  const serving = candidates.filter((agent) => bound.has(agent.id))
  const missing = work.options.dhcpAgentsPerNetwork - serving.length
  if (missing <= 0) return []
  const loads = await loadsOf(work)
  const zones = await zonesFor(work, networkId)
  return candidates
    .filter((agent) => !bound.has(agent.id))
    .filter((agent) => zones.length === 0 || zones.includes(agent.availability_zone ?? 'nova'))
    .sort((one, other) => (loads.get(one.id) ?? 0) - (loads.get(other.id) ?? 0))
    .slice(0, missing)
}

/** Lets an agent serve a network. */
export async function bindDhcp(
  work: Work,
  networkId: string,
  agent: Pick<AgentRow, 'id' | 'host'>,
): Promise<void> {
  await work.db
    .insertInto('networkdhcpagentbindings')
    .values({ network_id: networkId, dhcp_agent_id: agent.id })
    .execute()
  work.changes.dhcpHosts.add(agent.host)
}

/** Notes that the agents of a network begin or cease to serve it. */
export async function noteDhcpHosts(work: Work, networkId: string): Promise<void> {
  const agents = await work.db
    .selectFrom('networkdhcpagentbindings')
    .innerJoin('agents', 'agents.id', 'networkdhcpagentbindings.dhcp_agent_id')
    .select('agents.host')
    .where('network_id', '=', networkId)
    .execute()
  for (const agent of agents) work.changes.dhcpHosts.add(agent.host)
}

/** An agent that came: networks that lack one get it. */
export async function scheduleAllDhcp(work: Work): Promise<void> {
  const rows = await work.db
    .selectFrom('subnets')
    .select('network_id')
    .distinct()
    .where('enable_dhcp', '=', 1)
    .where('network_id', 'not in', (eb) =>
      eb
        .selectFrom('networkdhcpagentbindings')
        .innerJoin('agents', 'agents.id', 'networkdhcpagentbindings.dhcp_agent_id')
        .select('networkdhcpagentbindings.network_id')
        .where('agents.admin_state_up', '=', 1)
        .groupBy('networkdhcpagentbindings.network_id')
        .having((having) => having.fn.countAll(), '>=', work.options.dhcpAgentsPerNetwork),
    )
    .execute()
  for (const row of rows) await scheduleDhcp(work, row.network_id)
}

/** Takes networks from agents that are dead when others are there to serve them. */
export async function rescheduleDhcp(work: Work): Promise<void> {
  if (!work.options.allowAutomaticDhcpFailover) return
  const working = new Set((await workingDhcpAgents(work)).map((agent) => agent.id))
  if (working.size === 0) return
  const bindings = await work.db
    .selectFrom('networkdhcpagentbindings')
    .innerJoin('agents', 'agents.id', 'networkdhcpagentbindings.dhcp_agent_id')
    .select(['network_id', 'dhcp_agent_id', 'agents.host'])
    .execute()
  const orphaned = new Set<string>()
  for (const binding of bindings) {
    if (working.has(binding.dhcp_agent_id)) continue
    orphaned.add(binding.network_id)
    work.changes.dhcpHosts.add(binding.host)
    await work.db
      .deleteFrom('networkdhcpagentbindings')
      .where('network_id', '=', binding.network_id)
      .where('dhcp_agent_id', '=', binding.dhcp_agent_id)
      .execute()
  }
  for (const networkId of orphaned) await scheduleDhcp(work, networkId)
}

async function workingDhcpAgents(work: Work): Promise<AgentRow[]> {
  const rows = await work.db
    .selectFrom('agents')
    .selectAll()
    .where('agent_type', '=', dhcpAgentType)
    .where('admin_state_up', '=', 1)
    .execute()
  return rows.filter((row) => isAlive(row, work.now, work.options))
}

async function boundAgents(work: Work, networkId: string): Promise<Set<string>> {
  const rows = await work.db
    .selectFrom('networkdhcpagentbindings')
    .select('dhcp_agent_id')
    .where('network_id', '=', networkId)
    .execute()
  return new Set(rows.map((row) => row.dhcp_agent_id))
}

async function loadsOf(work: Work): Promise<Map<string, number>> {
  const rows = await work.db
    .selectFrom('networkdhcpagentbindings')
    .select((eb) => ['dhcp_agent_id', eb.fn.countAll<number>().as('load')])
    .groupBy('dhcp_agent_id')
    .execute()
  return new Map(rows.map((row) => [row.dhcp_agent_id, Number(row.load)]))
}

async function zonesFor(work: Work, networkId: string): Promise<readonly string[]> {
  const row = await work.db
    .selectFrom('networks')
    .select('availability_zone_hints')
    .where('id', '=', networkId)
    .executeTakeFirst()
  const hints = JSON.parse(row?.availability_zone_hints ?? '[]') as string[]
  return hints.length > 0 ? hints : work.options.defaultAvailabilityZones
}
