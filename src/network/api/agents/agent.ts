/** Agents (`/v2.0/agents`): they make themselves known; admins switch them off and remove dead ones. */
import { sql } from 'kysely'
import type { Db } from '../../../base/db/database.ts'
import type { NetworkOptions } from '../../config.ts'
import { scheduleDhcp } from '../../dhcp/schedule.ts'
import { unknown } from '../../errors.ts'
import { dhcpAgentType, isAlive } from '../../store/agents.ts'
import type { AgentRow, Tables } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { Attributes, Values } from '../attributes.ts'
import * as check from '../checks.ts'
import { toBoolean } from '../converters.ts'
import type { Resource, ViewContext } from '../resource.ts'

const attributes: Attributes = {
  id: { filter: true, sort: true },
  agent_type: { filter: true, sort: true },
  binary: { filter: true, sort: true },
  topic: { filter: true, sort: true },
  host: { filter: true, sort: true },
  admin_state_up: { put: true, convert: toBoolean, filter: true, sort: true },
  created_at: { sort: true },
  started_at: { sort: true },
  heartbeat_timestamp: { sort: true },
  description: { put: true, check: check.orNull(check.text(255)), filter: true, sort: true },
  configurations: {},
  alive: { filter: true, convert: toBoolean },
  availability_zone: { filter: true, sort: true },
  resources_synced: { extension: 'agent-resources-synced' },
}

export function agentResource(options: NetworkOptions): Resource<AgentRow> {
  return {
    name: 'agent',
    collection: 'agents',
    path: 'agents',
    table: 'agents',
    attributes,
    unknown: unknown.agent,
    filters: {
      alive: (values) => {
        const since = new Date(Date.now() - options.agentDownTimeSeconds * 1000).toISOString()
        return toBoolean(values[0])
          ? sql<boolean>`agents.heartbeat_timestamp >= ${since}`
          : sql<boolean>`agents.heartbeat_timestamp < ${since}`
      },
    },
    view: viewAgents,
    update: updateAgent,
    remove: deleteAgent,
  }
}

/** `2026-11-23 22:10:05`, as neutron shows the times of agents. */
const time = (stored: string): string => `${stored.slice(0, 10)} ${stored.slice(11, 19)}`

async function viewAgents(
  _db: Db<Tables>,
  rows: readonly AgentRow[],
  context: ViewContext,
): Promise<Values[]> {
  const now = new Date().toISOString()
  return rows.map((row) => ({
    id: row.id,
    agent_type: row.agent_type,
    binary: row.binary,
    topic: row.topic,
    host: row.host,
    admin_state_up: row.admin_state_up === 1,
    created_at: time(row.created_at),
    started_at: time(row.started_at),
    heartbeat_timestamp: time(row.heartbeat_timestamp),
    description: row.description,
    configurations: JSON.parse(row.configurations),
    alive: isAlive(row, now, context.options),
    availability_zone: row.availability_zone,
    // No agent of these has bandwidth or other resources to tell placement of.
    resources_synced: null,
  }))
}

async function updateAgent(work: Work, row: AgentRow, values: Values): Promise<void> {
  const set: Partial<AgentRow> = {}
  if (values['admin_state_up'] !== undefined) set.admin_state_up = Number(values['admin_state_up'])
  if (values['description'] !== undefined) set.description = values['description'] as string | null
  if (Object.keys(set).length > 0)
    await work.db.updateTable('agents').set(set).where('id', '=', row.id).execute()
  if (row.agent_type === dhcpAgentType) work.changes.dhcpHosts.add(row.host)
}

async function deleteAgent(work: Work, row: AgentRow): Promise<void> {
  const served = await work.db
    .selectFrom('networkdhcpagentbindings')
    .select('network_id')
    .where('dhcp_agent_id', '=', row.id)
    .execute()
  await work.db.deleteFrom('agents').where('id', '=', row.id).execute()
  if (row.agent_type === dhcpAgentType) work.changes.dhcpHosts.add(row.host)
  for (const binding of served) await scheduleDhcp(work, binding.network_id)
}
