/** neutron-server as the agents call it. */
import type { Bus } from '../../base/bus/bus.ts'
import { isFault } from '../../base/errors.ts'
import { type ServerMethods, serverTopic } from '../rpc/agents.ts'
import { originalServer } from './original/original-server.ts'

/**
 * The server in the same process, or by messages: ours, or OpenStack's own. `foundOriginal` is called each time that it
 * turns out to be the latter.
 */
export const serverOf = (
  deps: { bus: Bus; server?: ServerMethods },
  foundOriginal?: () => void,
): ServerMethods =>
  deps.server ??
  ofEitherKind([serverOver(deps.bus), originalServer(deps.bus)], (kind) => {
    if (kind === 1) foundOriginal?.()
  })

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

/** Which kind is there shows when it is asked: one that does not know the method is of the other kind. */
function ofEitherKind(
  kinds: readonly [ServerMethods, ServerMethods],
  found: (kind: 0 | 1) => void,
): ServerMethods {
  let kind: 0 | 1 = 0
  const ask =
    <A, R>(method: (server: ServerMethods) => (args: A) => Promise<R>) =>
    async (args: A): Promise<R> => {
      const asked = kind
      try {
        return await method(kinds[asked])(args)
      } catch (error) {
        if (!isFault(error, 'not-implemented')) throw error
      }
      const other = asked === 0 ? 1 : 0
      const answer = await method(kinds[other])(args)
      if (kind !== other) {
        kind = other
        found(other)
      }
      return answer
    }
  return {
    reportState: ask((server) => server.reportState),
    wantedL2: ask((server) => server.wantedL2),
    portsChanged: ask((server) => server.portsChanged),
    wantedDhcp: ask((server) => server.wantedDhcp),
    ensureDhcpPort: ask((server) => server.ensureDhcpPort),
    releaseDhcpPort: ask((server) => server.releaseDhcpPort),
    dhcpReady: ask((server) => server.dhcpReady),
    findPort: ask((server) => server.findPort),
  }
}
