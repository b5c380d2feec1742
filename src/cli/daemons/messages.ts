import type { Bus } from '../../base/bus/bus.ts'
import { openBus } from '../../base/bus/open.ts'
import type { MessagingConfig } from '../../base/bus/options.ts'
import { rpcClient } from '../../base/bus/rpc.ts'
import { hostNameOf } from '../../base/config/common/host.ts'
import type { Logger } from '../../base/log.ts'
import type { Cells } from '../../compute/cells/open-cells.ts'
import { type AgentClient, agentRpc } from '../../compute/rpc/agent.ts'
import type { Daemon } from './daemon.ts'

/** What tells a process from all others in logs and in what it holds: `controller:4711`. */
export const processName = (config: { host: string | null }): string => `${hostNameOf(config)}:${process.pid}`

export interface BusNeeds {
  program: string
  config: MessagingConfig & { host: string | null }
  /** `nova`, `neutron`: unless `control_exchange` says otherwise. */
  exchange: string
  log: Logger
}

/** The message bus of a program's configuration. */
export const busOf = (needs: BusNeeds): Bus => openBusAt(needs, needs.config.transportUrl)

function openBusAt({ program, config, exchange, log }: BusNeeds, transportUrl: string): Bus {
  return openBus({
    transportUrl,
    log,
    // oslo.messaging's default, which each service replaces by its own name.
    exchange: config.controlExchange === 'openstack' ? exchange : config.controlExchange,
    options: config,
    name: `${program}:${processName(config)}`,
  })
}

/**
 * An agent that stops ends what it was asked to do, and waits for no answers to what it asks itself: the server may be
 * away, and its successor asks again.
 */
export const endingWithItsMessages = (bus: Bus, life: AsyncDisposableStack): Daemon => ({
  drain: () => bus.close(),
  [Symbol.asyncDispose]: () => life.disposeAsync(),
})

export interface CellAgents extends AsyncDisposable {
  /** The agents of a cell's hosts, over the cell's own messages. */
  agents: (cellId: number) => AgentClient
}

/** Cells that share the program's bus are reached over it. */
export function agentsOfCells(needs: BusNeeds, own: Bus, cells: Cells): CellAgents {
  const buses = new Map<string, Bus>([[needs.config.transportUrl, own]])
  const clients = new Map<Bus, AgentClient>()
  return {
    agents(cellId) {
      const { transportUrl } = cells.byId(cellId)
      let bus = buses.get(transportUrl)
      if (bus === undefined) {
        bus = openBusAt(needs, transportUrl)
        buses.set(transportUrl, bus)
      }
      let client = clients.get(bus)
      if (client === undefined) {
        client = rpcClient(bus, agentRpc)
        clients.set(bus, client)
      }
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...buses.values()].filter((bus) => bus !== own).map((bus) => bus.close()))
    },
  }
}
