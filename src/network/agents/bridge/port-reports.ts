/** Tells the server which ports came up or went down, and only what it does not know. */
import type { Logger } from '../../../base/log.ts'
import type { ServerMethods, WantedPort } from '../../rpc/agents.ts'

export function createPortReports(deps: {
  server: Pick<ServerMethods, 'portsChanged'>
  hostName: string
  log: Logger
}) {
  /** What was reported since the server's view of a port was last read. */
  const sent = new Map<string, 'up' | 'down'>()

  function isNews(port: WantedPort, state: 'up' | 'down'): boolean {
    const believed = sent.get(port.id) ?? (port.status === 'ACTIVE' ? 'up' : 'down')
    return believed !== state
  }

  return {
    /** The port was read anew: what the server says of it holds, whatever it was told before. */
    forget: (portId: string) => sent.delete(portId),
    async send(wired: readonly WantedPort[], unwired: readonly WantedPort[]): Promise<void> {
      const up = wired.filter((port) => isNews(port, 'up')).map((port) => port.id)
      const down = unwired.filter((port) => isNews(port, 'down')).map((port) => port.id)
      if (up.length + down.length === 0) return
      await deps.server.portsChanged({ host: deps.hostName, up, down })
      deps.log.debug({ up, down }, 'ports were reported')
      for (const id of up) sent.set(id, 'up')
      for (const id of down) sent.set(id, 'down')
    },
  }
}
