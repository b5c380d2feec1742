/** The Linux bridge agent: wires the guests of one host and keeps the packet filter that protects them. */
import { type Clock, systemClock } from '../../../base/clock.ts'
import type { Host } from '../../../linux/host.ts'
import { l2AgentTopic } from '../../rpc/agents.ts'
import { type AgentDeps, type RunningAgent, runAgent } from '../agent.ts'
import { cloudNames } from '../names.ts'
import { serverOf } from '../server.ts'
import type { BridgeOptions } from './options.ts'
import { syncPorts } from './sync-ports.ts'

export interface BridgeAgentDeps extends AgentDeps {
  host: Host
  /** `default`, or what tells this cloud's devices and rules from another's on the same machine. */
  cloudId: string
  options: BridgeOptions
  clock?: Clock
}

/** Starts the agent. Disposing it leaves everything wired: guests go on. */
export async function startBridgeAgent(deps: BridgeAgentDeps): Promise<RunningAgent> {
  const { host, hostName, options, log } = deps
  if (options.filter.packets) await host.filterBridgedFrames()
  else log.warn('packets of guests are not filtered on this host: security groups protect nobody here')
  const { task, status, changed, tapChanged, deviceChanged, compareAll } = syncPorts({
    server: serverOf(deps),
    host,
    hostName,
    names: cloudNames(deps.cloudId),
    options,
    log,
    clock: deps.clock ?? systemClock,
  })
  await using undo = new AsyncDisposableStack()
  const agent = undo.use(
    await runAgent(deps, {
      reconciler: task,
      topic: l2AgentTopic,
      concerns: changed,
      report: () => ({
        agentType: 'Linux bridge agent',
        binary: 'neutron-linuxbridge-agent',
        topic: 'N/A',
        configurations: configurations(options, status.devices),
      }),
    }),
  )
  const nics = new Set(Object.values(options.physicalInterfaceMappings))
  const isOurs = (name: string) => name.startsWith('tap') || name.startsWith('brq') || nics.has(name)
  const seen = (name: string) => {
    if (!isOurs(name)) return
    if (!name.startsWith('tap')) deviceChanged()
    else if (!tapChanged(name)) return
    agent.wake()
  }
  undo.use(host.watchLinks(seen))
  // What came between the first run's reading and the watch.
  agent.wake()
  const kept = undo.move()
  const sync = () => {
    compareAll()
    return agent.sync()
  }
  return { sync, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** What `GET /v2.0/agents/{id}` shows, and what the server binds ports by. */
const configurations = (options: BridgeOptions, devices: number): Record<string, unknown> => ({
  bridge_mappings: options.bridgeMappings,
  interface_mappings: options.physicalInterfaceMappings,
  tunneling_ip: options.vxlan.enabled ? options.vxlan.localIp : '',
  tunnel_types: options.vxlan.enabled ? ['vxlan'] : [],
  l2_population: options.vxlan.enabled && options.vxlan.l2Population,
  extensions: [],
  devices,
})
