/**
 * The DHCP agent's reconciler: every network of this host has its server, and no other network has one. It asks what
 * changed, and does that; each network is looked at as a whole again after a while.
 */
import type { Clock } from '../../../base/clock.ts'
import { describeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { Host } from '../../../linux/host.ts'
import type { Changed, ServerMethods, WantedDhcp } from '../../rpc/agents.ts'
import type { CloudNames } from '../names.ts'
import type { Daemons } from './daemons.ts'
import { unwireNetwork, wireNetwork } from './devices.ts'
import { type Due, NetworkRecord } from './network-record.ts'
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
/** How often the server is asked for everything, in case an answer was not what it should have been. */
const wholeMilliseconds = 300_000

export interface DhcpStatus {
  networks: number
  subnets: number
  ports: number
}

export interface SyncNetworks {
  task: Task
  status: DhcpStatus
  /** Whether a change concerns this host. */
  concerns(changed: Changed): boolean
}

export function syncNetworks(deps: SyncNetworksDeps): SyncNetworks {
  const { server, host, hostName, names, daemons, log, clock } = deps
  const records = new Map<string, NetworkRecord>()
  const status: DhcpStatus = { networks: 0, subnets: 0, ports: 0 }
  let revision: string | null = null
  let wholeAt = Number.NEGATIVE_INFINITY
  /** Networks that nobody should be served on may still be on the host. */
  let leftovers = true
  let asking = false

  async function run(): Promise<void> {
    await ask()
    const failures: unknown[] = []
    const each = async (work: () => Promise<void>, failed: () => void) => {
      try {
        await work()
      } catch (error) {
        failed()
        failures.push(error)
      }
    }
    if (leftovers) {
      leftovers = false
      for (const id of await daemons.served()) {
        if (isServed(records.get(id))) continue
        await each(
          () => withdraw(id),
          () => {
            leftovers = true
          },
        )
      }
    }
    const served = [...records.values()].filter(isServed)
    const ready: NetworkRecord[] = []
    for (const record of served) {
      await each(
        async () => {
          await serve(record, record.due)
          ready.push(record)
        },
        () => record.failed(),
      )
    }
    await tellReady(ready)
    // Nobody who starts waits for this.
    for (const record of ready.filter((each) => each.isOld(clock.now(), checkAgainMilliseconds))) {
      await each(
        () => serve(record, 'all'),
        () => record.failed(),
      )
    }
    count(served)
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, failures.map(describeError).join('; '))
  }

  async function ask(): Promise<void> {
    const now = clock.now()
    const whole = now - wholeAt >= wholeMilliseconds
    asking = true
    try {
      const known = { host: hostName, revision: whole ? null : revision, networks: [...records.keys()] }
      record(await server.wantedDhcp(known))
      if (whole) wholeAt = now
    } finally {
      asking = false
    }
  }

  function record(answer: WantedDhcp): void {
    const named = new Set(answer.networks.map((network) => network.id))
    const gone = answer.whole ? [...records.keys()].filter((id) => !named.has(id)) : answer.goneNetworks
    for (const id of gone) records.delete(id)
    for (const network of answer.networks) {
      const known = records.get(network.id)
      if (known === undefined) records.set(network.id, new NetworkRecord(network))
      else known.describe(network)
    }
    if (answer.whole || gone.length > 0 || named.size > 0) leftovers = true
    for (const { networkId, ...port } of answer.ports) records.get(networkId)?.setPort(port)
    for (const { networkId, id } of answer.gonePorts) records.get(networkId)?.removePort(id)
    revision = answer.revision
  }

  async function serve(record: NetworkRecord, due: Due): Promise<void> {
    if (due === 'nothing') return
    const first = record.dhcpPort === null
    if (record.dhcpPort === null)
      record.dhcpPort = await server.ensureDhcpPort({ host: hostName, networkId: record.id })
    const served = record.served(record.dhcpPort)
    if (due === 'all') {
      await wireNetwork(host, names, served, deps.options)
      await daemons.serve(served)
    } else await daemons.servePorts(served)
    record.done(due, clock.now())
    if (first) log.info({ networkId: record.id }, 'DHCP is served')
  }

  async function withdraw(networkId: string): Promise<void> {
    await daemons.withdraw(networkId)
    await unwireNetwork(host, networkId)
    await server.releaseDhcpPort({ host: hostName, networkId })
    log.info({ networkId }, 'DHCP is no longer served')
  }

  /** Each port once, as soon as its network's server knows it. */
  async function tellReady(ready: readonly NetworkRecord[]): Promise<void> {
    const untold = ready
      .map((record) => [record, record.untold()] as const)
      .filter(([, ids]) => ids.length > 0)
    if (untold.length === 0) return
    const portIds = untold.flatMap(([, ids]) => ids)
    await server.dhcpReady({ portIds })
    log.debug({ portIds }, 'DHCP is ready for ports')
    for (const [record, ids] of untold) record.told(ids)
  }

  function count(served: readonly NetworkRecord[]): void {
    status.networks = served.length
    status.subnets = served.reduce((sum, record) => sum + record.subnets.length, 0)
    status.ports = served.reduce((sum, record) => sum + record.portCount, 0)
  }

  return {
    task: { name: 'sync-networks', everySeconds: 60, retrySeconds: 2, run },
    status,
    concerns: (changed) =>
      // What the answer that is on its way brings is not known yet.
      asking ||
      Object.keys(changed).length === 0 ||
      changed.hosts?.includes(hostName) === true ||
      changed.networks?.some((id) => records.has(id)) === true,
  }
}

const isServed = (record: NetworkRecord | undefined): record is NetworkRecord =>
  record?.subnets.some((subnet) => subnet.enableDhcp) === true
