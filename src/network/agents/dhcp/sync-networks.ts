/** The DHCP agent's reconciler: every network of this host has its server, and no other network has one. */
import type { Clock } from '../../../base/clock.ts'
import { describeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { Host } from '../../../linux/host.ts'
import type { ServerMethods, WantedDhcpNetwork } from '../../rpc/agents.ts'
import type { CloudNames } from '../names.ts'
import type { Daemons } from './daemons.ts'
import { unwireNetwork, wireNetwork } from './devices.ts'
import type { ServedNetwork } from './network.ts'
import type { DhcpOptions } from './options.ts'

export interface SyncNetworksDeps {
  server: Pick<ServerMethods, 'wantedDhcp' | 'ensureDhcpPort' | 'releaseDhcpPort' | 'dhcpReady'>
  host: Host
  hostName: string
  names: CloudNames
  daemons: Daemons
  options: DhcpOptions
  log: Logger
  clock: Clock
}

/** A network that looks as it did is looked at again after this long, in case somebody else changed something. */
const checkAgainMilliseconds = 50_000

export interface DhcpStatus {
  networks: number
  subnets: number
  ports: number
}

export function syncNetworks(deps: SyncNetworksDeps): { task: Task; status: DhcpStatus } {
  const { server, host, hostName, names, daemons, log, clock } = deps
  const done = new Map<string, { text: string; at: number }>()
  let told = new Set<string>()
  const status: DhcpStatus = { networks: 0, subnets: 0, ports: 0 }

  async function run(): Promise<void> {
    const wanted = (await server.wantedDhcp({ host: hostName })).filter((network) =>
      network.subnets.some((subnet) => subnet.enableDhcp),
    )
    const ids = new Set(wanted.map((network) => network.id))
    const failures: unknown[] = []
    const each = async (id: string, work: () => Promise<void>) => {
      try {
        await work()
      } catch (error) {
        done.delete(id)
        failures.push(error)
      }
    }
    for (const id of await daemons.served()) if (!ids.has(id)) await each(id, () => withdraw(id))
    const ready: WantedDhcpNetwork[] = []
    for (const network of wanted) {
      await each(network.id, async () => {
        await serve(network)
        ready.push(network)
      })
    }
    await tellReady(wanted, ready)
    status.networks = wanted.length
    status.subnets = wanted.reduce((sum, network) => sum + network.subnets.length, 0)
    status.ports = wanted.reduce((sum, network) => sum + network.ports.length, 0)
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, failures.map(describeError).join('; '))
  }

  async function serve(network: WantedDhcpNetwork): Promise<void> {
    const text = JSON.stringify(network)
    const last = done.get(network.id)
    if (last?.text === text && clock.now() - last.at < checkAgainMilliseconds) return
    const dhcpPort =
      network.dhcpPort ?? (await server.ensureDhcpPort({ host: hostName, networkId: network.id }))
    const served: ServedNetwork = { ...network, dhcpPort }
    await wireNetwork(host, names, served, deps.options)
    await daemons.serve(served)
    done.set(network.id, { text, at: clock.now() })
    if (last === undefined) log.info({ networkId: network.id }, 'DHCP is served')
  }

  async function withdraw(networkId: string): Promise<void> {
    done.delete(networkId)
    await daemons.withdraw(networkId)
    await unwireNetwork(host, networkId)
    await server.releaseDhcpPort({ host: hostName, networkId })
    log.info({ networkId }, 'DHCP is no longer served')
  }

  /** Each port once, as soon as its network's server knows it. */
  async function tellReady(
    wanted: readonly WantedDhcpNetwork[],
    ready: readonly WantedDhcpNetwork[],
  ): Promise<void> {
    const all = new Set(wanted.flatMap(portIds))
    const portsReady = ready.flatMap(portIds).filter((id) => !told.has(id))
    if (portsReady.length > 0) await server.dhcpReady({ portIds: portsReady })
    told = new Set([...told, ...portsReady]).intersection(all)
  }

  return { task: { name: 'sync-networks', everySeconds: 60, run }, status }
}

const portIds = (network: WantedDhcpNetwork): string[] => [
  ...new Set([
    ...network.ports.map((port) => port.id),
    ...(network.dhcpPort === null ? [] : [network.dhcpPort.id]),
  ]),
]
