/** neutron-server as the agents call it. */
import type { Bus } from '../../base/bus/bus.ts'
import { type ServerMethods, serverTopic } from '../rpc/agents.ts'

/** The server in the same process, or by messages. */
export const serverOf = (deps: { bus: Bus; server?: ServerMethods }): ServerMethods =>
  deps.server ?? serverOver(deps.bus)

function serverOver(bus: Bus): ServerMethods {
  const target = { topic: serverTopic }
  return {
    reportState: (args) => bus.call(target, 'reportState', args),
    wantedL2: (args) => bus.call(target, 'wantedL2', args),
    portsChanged: (args) => bus.call(target, 'portsChanged', args),
    wantedDhcp: (args) => bus.call(target, 'wantedDhcp', args),
    ensureDhcpPort: (args) => bus.call(target, 'ensureDhcpPort', args),
    releaseDhcpPort: (args) => bus.call(target, 'releaseDhcpPort', args),
    dhcpReady: (args) => bus.call(target, 'dhcpReady', args),
    findPort: (args) => bus.call(target, 'findPort', args),
  }
}
