import { sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import type { NetworkOptions } from '../config.ts'
import type { AgentRow, Tables } from './tables.ts'

/** True when the agent has told of itself lately. */
export function isAlive(
  agent: Pick<AgentRow, 'heartbeat_timestamp'>,
  now: string,
  options: NetworkOptions,
): boolean {
  return Date.parse(now) - Date.parse(agent.heartbeat_timestamp) <= options.agentDownTimeSeconds * 1000
}

const readEnabled = statement((db: Db<Tables>, p: { host: string }) =>
  db.selectFrom('agents').selectAll().where('host', '=', p.host).where('admin_state_up', '=', 1),
)

/** The agents of a host that can be given work. */
export async function workingAgents(
  db: Db<Tables>,
  host: string,
  now: string,
  options: NetworkOptions,
): Promise<AgentRow[]> {
  const { rows } = await readEnabled(db, { host })
  return rows.filter((row) => isAlive(row, now, options))
}

export const dhcpAgentType = 'DHCP agent'

const servingOf = (db: Db<Tables>, networkId: string) =>
  db
    .selectFrom('agents')
    .innerJoin('networkdhcpagentbindings as served', 'served.dhcp_agent_id', 'agents.id')
    .where('served.network_id', '=', networkId)
    .where('agents.admin_state_up', '=', 1)
    .where('agents.agent_type', '=', dhcpAgentType)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('subnets')
          .select('subnets.id')
          .where('subnets.network_id', '=', networkId)
          .where('subnets.enable_dhcp', '=', 1),
      ),
    )

const readServing = statement((db: Db<Tables>, p: { networkId: string }) =>
  servingOf(db, p.networkId).select('agents.heartbeat_timestamp'),
)

/** True when some subnet wants DHCP and an agent that is alive serves the network. */
export async function isDhcpServed(
  db: Db<Tables>,
  networkId: string,
  now: string,
  options: NetworkOptions,
): Promise<boolean> {
  const { rows } = await readServing(db, { networkId })
  return rows.some((agent) => isAlive(agent, now, options))
}

const readBoth = statement((db: Db<Tables>, p: { host: string; networkId: string }) =>
  db
    .selectFrom('agents')
    .selectAll()
    .select(sql<number>`0`.as('serves'))
    .where('host', '=', p.host)
    .where('admin_state_up', '=', 1)
    .unionAll(servingOf(db, p.networkId).selectAll('agents').select(sql<number>`1`.as('serves'))),
)

/** Both for a new port, in one reading: the agents of its host, and whether its network's DHCP is served. */
export async function agentsFor(
  db: Db<Tables>,
  port: { host: string; networkId: string },
  now: string,
  options: NetworkOptions,
): Promise<{ agents: AgentRow[]; dhcpServed: boolean }> {
  const { rows } = await readBoth(db, port)
  const alive = rows.filter((row) => isAlive(row, now, options))
  return {
    agents: alive.filter((row) => Number(row.serves) === 0),
    dhcpServed: alive.some((row) => Number(row.serves) === 1),
  }
}
