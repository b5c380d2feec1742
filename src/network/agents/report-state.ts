/** Tells the server every half minute that an agent lives, and what it does. */
import type { Task } from '../../base/task/task.ts'
import type { AgentReport, ServerMethods } from '../rpc/agents.ts'

export function reportState(
  server: ServerMethods,
  report: () => Omit<AgentReport, 'started'>,
  everySeconds = 30,
): Task {
  let started = true
  return {
    name: 'report-state',
    everySeconds,
    retrySeconds: 2,
    async run() {
      await server.reportState({ ...report(), started })
      started = false
    },
  }
}
