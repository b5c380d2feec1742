/** The DHCP agent: gives the guests of its networks their addresses, names and routes. */
import { type Clock, systemClock } from '../../../base/clock.ts'
import type { Host } from '../../../linux/host.ts'
import { dhcpAgentTopic } from '../../rpc/agents.ts'
import { type AgentDeps, type RunningAgent, runAgent } from '../agent.ts'
import { cloudNames } from '../names.ts'
import { serverOf } from '../server.ts'
import type { Daemons } from './daemons.ts'
import type { DhcpOptions } from './options.ts'
import { syncNetworks } from './sync-networks.ts'

export interface DhcpAgentDeps extends AgentDeps {
  host: Host
  /** `hostDaemons(run, options)`, or `simulatedDaemons()` with a simulated host. */
  daemons: Daemons
  cloudId: string
  options: DhcpOptions
  clock?: Clock
}

/** Starts the agent. Disposing it leaves dnsmasq and haproxy at work; a later agent finds them again. */
export async function startDhcpAgent(deps: DhcpAgentDeps): Promise<RunningAgent> {
  const { host, hostName, daemons, options, log } = deps
  const { task, status, concerns } = syncNetworks({
    server: serverOf(deps),
    host,
    hostName,
    names: cloudNames(deps.cloudId),
    daemons,
    options,
    log,
    clock: deps.clock ?? systemClock,
  })
  return runAgent(deps, {
    reconciler: task,
    topic: dhcpAgentTopic,
    concerns,
    report: () => ({
      agentType: 'DHCP agent',
      binary: 'neutron-dhcp-agent',
      topic: dhcpAgentTopic,
      availabilityZone: 'nova',
      configurations: {
        dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq',
        dhcp_lease_duration: options.leaseSeconds,
        log_agent_heartbeats: false,
        ...status,
      },
    }),
  })
}
