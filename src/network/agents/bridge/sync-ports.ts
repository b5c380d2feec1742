/** The bridge agent's reconciler: bridges, rules and guests' devices of this host, and the news to the server. */
import type { Clock } from '../../../base/clock.ts'
import { describeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Task } from '../../../base/task/task.ts'
import type { Host } from '../../../linux/host.ts'
import type { Link, LinkChange } from '../../../linux/links.ts'
import type { ServerMethods, WantedL2 } from '../../rpc/agents.ts'
import { bridgeName, type CloudNames } from '../names.ts'
import { createChainCache } from './chain-cache.ts'
import { syncForwarding, wantedForwarding } from './forwarding.ts'
import type { BridgeOptions } from './options.ts'
import { PacketFilter } from './packet-filter.ts'
import { bridgeOf, type DevicesPlan, planDevices } from './plan-devices.ts'
import { planRules, planSets } from './plan-rules.ts'
import { planTaps } from './plan-taps.ts'
import { createPortReports } from './port-reports.ts'
import { zoneChooser, zonesInUse } from './zones.ts'

export interface SyncDeps {
  server: Pick<ServerMethods, 'wantedL2' | 'portsChanged'>
  host: Host
  hostName: string
  names: CloudNames
  options: BridgeOptions
  log: Logger
  clock: Clock
}

/** What the agent shows of itself in its reports. */
export interface SyncStatus {
  devices: number
}

export interface SyncPorts {
  task: Task
  status: SyncStatus
  /** The server wants something else: the next run asks what. */
  changed(): void
  /** A device came or went: the next run looks at devices only, unless there is more to do. */
  devicesChanged(): void
}

export function syncPorts(deps: SyncDeps): SyncPorts {
  const { server, host, hostName, names, options, log } = deps
  const filter = new PacketFilter(host, names, deps.clock)
  const chainCache = createChainCache(names)
  const status: SyncStatus = { devices: 0 }
  const reports = createPortReports(deps)
  const told = new Map<string, string>()

  /** What the server wanted last; undefined before the first answer. */
  let last: { wanted: WantedL2; problems: ReadonlyMap<string, string> } | undefined
  let stale = true
  let onlyDevices = false

  async function run(): Promise<void> {
    const known = onlyDevices && !stale ? last : undefined
    onlyDevices = false
    if (known === undefined) return syncAll()
    const links = await host.links()
    // The last guest of a network left: now its bridge can go.
    if (hasUnwantedBridge(known.wanted, links, names)) return syncAll()
    await syncTaps(known.wanted, known.problems, links)
  }

  async function syncAll(): Promise<void> {
    last = undefined
    stale = false
    const wanted = await server.wantedL2({ host: hostName })
    reports.forget()
    // After what is wanted: a guest plugged meanwhile must be seen before its bridge is taken for unused.
    const links = await host.links()
    const routes = needsRoutes(wanted, links) ? await host.routes() : []
    const devices = planDevices({ networks: wanted.networks, links, routes, names, options })
    tellProblems(devices.problems)
    const failures = await Promise.allSettled([
      changeDevices(devices).then(() => populate(wanted, devices)),
      changeRules(wanted),
    ])
    const now = devices.changes.length === 0 ? links : await host.links()
    // Without its rules a guest's device is not let onto the bridge, and its port is not reported to be up.
    if (failures[1].status === 'fulfilled') {
      last = { wanted, problems: devices.problems }
      await syncTaps(wanted, devices.problems, now)
    }
    const reasons = failures.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (reasons.length > 0)
      throw reasons.length === 1 ? reasons[0] : new AggregateError(reasons, describeAll(reasons))
  }

  async function syncTaps(
    wanted: WantedL2,
    problems: ReadonlyMap<string, string>,
    links: ReadonlyMap<string, Link>,
  ): Promise<void> {
    const taps = planTaps(wanted, links, (network) => bridgeOf(network, options), problems)
    const failed = await changeTaps(taps.changes)
    await reports.send(failed ? [] : taps.wired, taps.unwired)
    status.devices = taps.wired.length
  }

  async function changeDevices(devices: DevicesPlan): Promise<void> {
    await host.changeLinks(devices.changes)
    for (const bridge of devices.newBridges) await host.setSysctl(`net.ipv6.conf.${bridge}.disable_ipv6`, '1')
    if (devices.changes.length > 0) log.info({ changes: devices.changes }, 'bridges changed')
  }

  async function changeRules(wanted: WantedL2): Promise<void> {
    const bridges = new Map(wanted.networks.map((network) => [network.id, bridgeOf(network, options)]))
    const protocols = await host.protocolNames()
    const zoneOf = zoneChooser(zonesInUse(await filter.current()))
    const networkBridge = (networkId: string) => bridges.get(networkId) ?? bridgeName(networkId)
    const rules = planRules({
      wanted,
      names,
      chainsOf: (port) => chainCache.chainsOf(port, wanted.securityGroups, protocols),
      bridgeOf: networkBridge,
      zoneOf,
    })
    chainCache.keepOnly(wanted.ports)
    const changed = await filter.apply(rules, planSets(wanted, names))
    if (changed) log.info({ ports: wanted.ports.length }, 'packet filter changed')
    await endConnections((networkId) => zoneOf(networkBridge(networkId)))
  }

  /** Ends what rules that are gone once allowed. The rules themselves are in force already if this fails. */
  async function endConnections(zoneOf: (networkId: string) => number): Promise<void> {
    const addresses = chainCache
      .restricted()
      .flatMap((port) => port.fixedIps.map((ip) => ({ address: ip.ipAddress, zone: zoneOf(port.networkId) })))
    chainCache.clearRestricted()
    if (addresses.length === 0) return
    try {
      await host.forgetConnections(addresses)
    } catch (error) {
      log.warn(
        { error: describeError(error), addresses },
        'open connections go on though their rules are gone',
      )
    }
  }

  async function populate(wanted: WantedL2, devices: DevicesPlan): Promise<void> {
    if (!options.vxlan.l2Population) return
    for (const [networkId, device] of devices.vxlans)
      await syncForwarding(host, device, wantedForwarding(wanted, networkId))
  }

  async function changeTaps(changes: readonly LinkChange[]): Promise<boolean> {
    try {
      await host.changeLinks(changes)
      return false
    } catch (error) {
      // A guest that ended meanwhile: the kernel's word of it starts the next run.
      log.warn({ error: describeError(error), changes }, 'devices of guests could not be wired')
      return true
    }
  }

  function tellProblems(problems: ReadonlyMap<string, string>): void {
    for (const [networkId, problem] of problems) {
      if (told.get(networkId) !== problem)
        log.error({ networkId, problem }, 'network cannot be wired on this host')
    }
    told.clear()
    for (const [networkId, problem] of problems) told.set(networkId, problem)
  }

  return {
    task: { name: 'sync-ports', everySeconds: 60, run },
    status,
    changed: () => {
      stale = true
    },
    devicesChanged: () => {
      onlyDevices = true
    },
  }
}

const describeAll = (reasons: readonly unknown[]): string => reasons.map(describeError).join('; ')

function hasUnwantedBridge(wanted: WantedL2, links: ReadonlyMap<string, Link>, names: CloudNames): boolean {
  const bridges = new Set(wanted.networks.map((network) => bridgeName(network.id)))
  return links
    .values()
    .some((link) => link.kind === 'bridge' && link.alias === names.alias && !bridges.has(link.name))
}

/** Routes matter only while a NIC with addresses joins or leaves a bridge. */
const needsRoutes = (wanted: WantedL2, links: ReadonlyMap<string, Link>): boolean =>
  wanted.networks.some((network) => network.physicalNetwork !== null) ||
  [...links.values()].some((link) => link.kind === 'bridge' && link.addresses.length > 0)
