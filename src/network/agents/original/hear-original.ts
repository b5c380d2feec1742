import type { Bus } from '../../../base/bus/bus.ts'
import { l2Wakes } from './messages.ts'

/** Calls `wake` whenever an original neutron-server tells L2 agents that something changed, whatever it is. */
export async function hearOriginal(bus: Bus, hostName: string, wake: () => void): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack()
  for (const [topic, methods] of Object.entries(l2Wakes)) {
    const handlers = Object.fromEntries(methods.map((method) => [method, wake]))
    undo.use(await bus.serve({ topic, server: hostName }, handlers))
  }
  return undo.move()
}
