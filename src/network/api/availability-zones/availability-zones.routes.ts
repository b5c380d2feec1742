/** Availability zones (`/v2.0/availability_zones`): where agents say they are. */
import type { Route } from '../../../base/http/route.ts'
import { python } from '../../../base/http/validate.ts'
import { badRequest } from '../../errors.ts'
import { dhcpAgentType } from '../../store/agents.ts'
import { listOf } from '../query.ts'
import type { ApiDeps } from '../resource.ts'

const filters = ['name', 'resource', 'state'] as const

export const availabilityZoneRoutes: readonly Route<ApiDeps>[] = [
  {
    get: '/v2.0/availability_zones',
    policy: 'get_availability_zone',
    handler: async (request, deps) => {
      const unknown = Object.keys(request.query).filter(
        (key) => ![...filters, 'fields', 'limit', 'marker', 'sort_key', 'sort_dir'].includes(key),
      )
      if (unknown.length > 0) throw badRequest(`${python(unknown)} is invalid attribute for filtering`)
      const zones = await readZones(deps)
      const shown = zones.filter((zone) =>
        filters.every((key) => {
          const wanted = listOf(request.query[key])
          return wanted.length === 0 || wanted.includes(zone[key])
        }),
      )
      return { availability_zones: shown }
    },
  },
]

interface Zone {
  name: string
  resource: string
  state: string
}

async function readZones(deps: ApiDeps): Promise<Zone[]> {
  const agents = await deps.db
    .selectFrom('agents')
    .select(['availability_zone', 'admin_state_up'])
    .where('agent_type', '=', dhcpAgentType)
    .where('availability_zone', 'is not', null)
    .orderBy('availability_zone')
    .execute()
  const zones = new Map<string, Zone>()
  for (const agent of agents) {
    const name = agent.availability_zone!
    const available = agent.admin_state_up === 1 || zones.get(name)?.state === 'available'
    zones.set(name, { name, resource: 'network', state: available ? 'available' : 'unavailable' })
  }
  return [...zones.values()]
}
