/** Tells the server which ports came up or went down: only what it does not know, and the same again only after a while. */
import type { Clock } from '../../../base/clock.ts'
import type { ServerMethods, WantedPort } from '../../rpc/agents.ts'

const repeatAfterMilliseconds = 30_000

export function createPortReports(deps: {
  server: Pick<ServerMethods, 'portsChanged'>
  hostName: string
  clock: Clock
}) {
  const sent = new Map<string, { up: boolean; seen: string; at: number }>()

  /** Whether the server must be told: it does not know, and was not told so just now. */
  function isNews(port: WantedPort, up: boolean): boolean {
    const differs = (port.status === 'ACTIVE') !== up
    const last = sent.get(port.id)
    if (last !== undefined && last.seen === port.status) {
      // What is known of the server is older than the last report.
      return last.up !== up || (differs && deps.clock.now() - last.at > repeatAfterMilliseconds)
    }
    sent.delete(port.id)
    return differs
  }

  return {
    async send(wired: readonly WantedPort[], unwired: readonly WantedPort[]): Promise<void> {
      const up = wired.filter((port) => isNews(port, true))
      const down = unwired.filter((port) => isNews(port, false))
      const there = new Set([...wired, ...unwired].map((port) => port.id))
      for (const id of sent.keys()) if (!there.has(id)) sent.delete(id)
      if (up.length + down.length === 0) return
      const ids = (ports: WantedPort[]) => ports.map((port) => port.id)
      await deps.server.portsChanged({ host: deps.hostName, up: ids(up), down: ids(down) })
      const at = deps.clock.now()
      for (const port of up) sent.set(port.id, { up: true, seen: port.status, at })
      for (const port of down) sent.set(port.id, { up: false, seen: port.status, at })
    },
  }
}
