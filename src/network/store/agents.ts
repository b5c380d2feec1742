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
