/** What all agents have in common: their tasks, the wakes from the server, and a sign of life. */
import type { Bus } from '../../base/bus/bus.ts'
import type { Logger } from '../../base/log.ts'
import { runTasks } from '../../base/task/run-tasks.ts'
import type { RunningTasks, Task } from '../../base/task/task.ts'
import {
  type AgentReport,
  type Changed,
  dhcpAgentTopic,
  l2AgentTopic,
  type ServerMethods,
} from '../rpc/agents.ts'
import { hearOriginal } from './original/hear-original.ts'
import { dhcpWakes } from './original/messages.ts'
import { reportState } from './report-state.ts'
import { serverOf } from './server.ts'

export interface AgentDeps {
  bus: Bus
  /** The server itself, where it runs in the same process: messages need not be copied then. */
  server?: ServerMethods
  /** The name this host has in OpenStack. */
  hostName: string
  log: Logger
  /** `[agent] report_interval`. */
  reportIntervalSeconds?: number
}

export interface RunningAgent extends AsyncDisposable {
  /** Runs the agent's reconciler now and waits for it. */
  sync(): Promise<void>
}

/** Runs an agent: `reconciler` at the start, by its timer, and whenever the server says that something changed. */
export async function runAgent(
  deps: AgentDeps,
  agent: {
    reconciler?: Task
    /** Topic on which the server sends `changed`. */
    topic?: string
    /** Whether a change concerns this agent: it is woken then. */
    concerns?: (changed: Changed) => boolean
    report: () => Omit<AgentReport, 'started' | 'host'>
  },
): Promise<RunningAgent & { wake(): void }> {
  await using undo = new AsyncDisposableStack()
  const { bus, hostName, log } = deps
  const name = agent.reconciler?.name
  let running: RunningTasks | undefined
  const wake = () => {
    if (name !== undefined) running?.wake(name)
  }
  const report = () => ({ ...agent.report(), host: hostName })
  const wakeForAll = () => {
    agent.concerns?.({})
    wake()
  }
  let hearing: Promise<AsyncDisposable> | undefined
  // Beside our own server nobody speaks there, so there need not be queues.
  const foundOriginal = () => {
    log.info("neutron-server is OpenStack's own")
    if (agent.topic === l2AgentTopic) hearing ??= hearOriginal(bus, hostName, wakeForAll)
    hearing?.catch((error: unknown) => log.warn({ err: error }, 'changes are seen by the timer only'))
    wakeForAll()
  }
  undo.defer(async () => await (await hearing)?.[Symbol.asyncDispose]())
  const server = serverOf(deps, foundOriginal)
  const tasks = [reportState(server, report, deps.reportIntervalSeconds)]
  if (agent.reconciler !== undefined) tasks.push(agent.reconciler)
  if (agent.topic !== undefined) {
    const changed = (args: Changed | null) => {
      if (agent.concerns?.(args ?? {}) !== false) wake()
    }
    const original = agent.topic === dhcpAgentTopic ? dhcpWakes : []
    const methods = Object.fromEntries(original.map((method) => [method, wakeForAll]))
    undo.use(await bus.serve({ topic: agent.topic, server: hostName }, { changed, ...methods }))
  }
  running = undo.use(runTasks(tasks, { log }))
  // What the server said while the broker was away is lost, and it may take us for dead.
  undo.use(
    bus.watch(({ connected }) => {
      if (!connected) return
      running?.wake('report-state')
      wakeForAll()
    }),
  )
  const kept = undo.move()
  return {
    wake,
    sync: () => (name === undefined ? Promise.resolve() : running.runNow(name)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
