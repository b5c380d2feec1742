/** Ports on Linux bridges: `brq…` joins the taps of a host with its physical interface or tunnel. */
import type { NetworkOptions } from '../../config.ts'
import type { AgentRow, SegmentRow } from '../../store/tables.ts'
import type { MechanismDriver } from '../mechanism-driver.ts'

const agentType = 'Linux bridge agent'

interface Configurations {
  interface_mappings?: Record<string, string>
  bridge_mappings?: Record<string, string>
  tunnel_types?: string[]
}

export function linuxbridgeMechanism(options: NetworkOptions): MechanismDriver {
  return {
    name: 'linuxbridge',
    bindPort(request) {
      if (request.vnicType !== 'normal') return undefined
      for (const agent of request.agents) {
        if (agent.agent_type !== agentType) continue
        const segment = request.segments.find((candidate) => reaches(agent, candidate))
        if (segment === undefined) continue
        return {
          vifType: 'bridge',
          vifDetails: {
            bridge_name: `brq${request.networkId.slice(0, 11)}`,
            port_filter: options.enableSecurityGroup,
            connectivity: 'l2',
          },
          segmentId: segment.id,
        }
      }
      return undefined
    },
  }
}

/** True when the agent's host is connected to the segment. */
function reaches(agent: AgentRow, segment: SegmentRow): boolean {
  if (segment.network_type === 'local') return true
  const configurations = JSON.parse(agent.configurations) as Configurations
  if (segment.network_type === 'flat' || segment.network_type === 'vlan') {
    const mappings = { ...configurations.interface_mappings, ...configurations.bridge_mappings }
    return segment.physical_network !== null && segment.physical_network in mappings
  }
  return (configurations.tunnel_types ?? []).includes(segment.network_type)
}
