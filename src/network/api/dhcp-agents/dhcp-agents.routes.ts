/** Which DHCP agents serve which networks: `/v2.0/agents/{id}/dhcp-networks`, `/v2.0/networks/{id}/dhcp-agents`. */
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { bindDhcp } from '../../dhcp/schedule.ts'
import { badRequest, conflict, neutronFault, unknown } from '../../errors.ts'
import { dhcpAgentType } from '../../store/agents.ts'
import { inSlices } from '../../store/slices.ts'
import { inWork } from '../../work.ts'
import { callerOf } from '../caller.ts'
import { present } from '../present.ts'
import type { AnyResource, ApiDeps } from '../resource.ts'
import { rowsById } from '../rows.ts'

export function dhcpAgentRoutes(resources: { networks: AnyResource; agents: AnyResource }): Route<ApiDeps>[] {
  const onAgent = '/v2.0/agents/:id/dhcp-networks'
  return [
    {
      get: onAgent,
      policy: 'get_dhcp-networks',
      handler: async (request, deps) => {
        await getAgent(deps, request)
        const ids = await bindings(deps, 'dhcp_agent_id', request.params['id']!, 'network_id')
        return { networks: await shown(resources.networks, request, deps, ids) }
      },
    },
    { post: onAgent, policy: 'create_dhcp-network', status: 201, handler: addNetwork },
    { delete: `${onAgent}/:network`, policy: 'delete_dhcp-network', handler: removeNetwork },
    {
      get: '/v2.0/networks/:id/dhcp-agents',
      policy: 'get_dhcp-agents',
      handler: async (request, deps) => {
        const ids = await bindings(deps, 'network_id', request.params['id']!, 'dhcp_agent_id')
        return { agents: await shown(resources.agents, request, deps, ids) }
      },
    },
  ]
}

async function getAgent(deps: ApiDeps, request: ApiRequest) {
  const id = request.params['id']!
  const agent = await deps.db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst()
  if (agent === undefined) throw unknown.agent(id)
  return agent
}

type Column = 'network_id' | 'dhcp_agent_id'

async function bindings(deps: ApiDeps, by: Column, id: string, wanted: Column): Promise<string[]> {
  const rows = await inSlices([id], (slice) =>
    deps.db.selectFrom('networkdhcpagentbindings').select(wanted).where(by, 'in', slice).execute(),
  )
  return rows.map((row) => row[wanted])
}

async function shown(resource: AnyResource, request: ApiRequest, deps: ApiDeps, ids: readonly string[]) {
  const rows = await rowsById(deps.db, resource, ids)
  return present(resource, request, deps.db, rows, callerOf(request), deps, [])
}

async function addNetwork(request: ApiRequest, deps: ApiDeps): Promise<undefined> {
  const networkId = (request.body as { network_id?: unknown } | undefined)?.network_id
  if (typeof networkId !== 'string') throw badRequest("Unable to find 'network_id' in request body")
  const agent = await getAgent(deps, request)
  if (agent.agent_type !== dhcpAgentType || agent.admin_state_up === 0) {
    throw neutronFault(
      'not-found',
      'InvalidDHCPAgent',
      `Agent ${agent.id} is not a valid DHCP Agent or has been disabled.`,
    )
  }
  await inWork(deps, async (work) => {
    const network = work.db.selectFrom('networks').select('id').where('id', '=', networkId)
    if ((await network.executeTakeFirst()) === undefined) throw unknown.network(networkId)
    const there = await work.db
      .selectFrom('networkdhcpagentbindings')
      .select('network_id')
      .where('network_id', '=', networkId)
      .where('dhcp_agent_id', '=', agent.id)
      .executeTakeFirst()
    if (there !== undefined) {
      throw conflict(
        'NetworkHostedByDHCPAgent',
        `The network ${networkId} has been already hosted by the DHCP Agent ${agent.id}.`,
      )
    }
    await bindDhcp(work, networkId, agent)
  })
}

async function removeNetwork(request: ApiRequest, deps: ApiDeps): Promise<undefined> {
  const agent = await getAgent(deps, request)
  const networkId = request.params['network']!
  await inWork(deps, async (work) => {
    const gone = await work.db
      .deleteFrom('networkdhcpagentbindings')
      .where('network_id', '=', networkId)
      .where('dhcp_agent_id', '=', agent.id)
      .executeTakeFirst()
    if (gone.numDeletedRows === 0n) {
      throw conflict(
        'NetworkNotHostedByDhcpAgent',
        `The network ${networkId} is not hosted by the DHCP Agent ${agent.id}.`,
      )
    }
    work.changes.dhcpHosts.add(agent.host)
  })
}
