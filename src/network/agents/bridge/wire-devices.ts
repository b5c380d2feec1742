/** Bridges and uplinks of the host, and what vxlan devices know of the guests behind them. */
import type { Logger } from '../../../base/log.ts'
import type { Host } from '../../../linux/host.ts'
import type { Link } from '../../../linux/links.ts'
import { bridgeName, type CloudNames } from '../names.ts'
import { ForwardingBook } from './forwarding.ts'
import { joinBridge } from './move-nic.ts'
import type { BridgeOptions } from './options.ts'
import { type DevicesPlan, planDevices } from './plan-devices.ts'
import type { Difference, WantedState } from './wanted-state.ts'

interface DevicesDeps {
  host: Host
  names: CloudNames
  options: BridgeOptions
  log: Logger
}

export class Devices {
  readonly #deps: DevicesDeps
  readonly #state: WantedState
  readonly #forwarding = new Map<string, ForwardingBook>()
  #vxlans: ReadonlyMap<string, string> = new Map()
  #problems: ReadonlyMap<string, string> = new Map()
  #outstaying = false
  /** NIC → why it stays out of its bridge, until the agent is started anew. */
  readonly #keptApart = new Map<string, string>()

  constructor(deps: DevicesDeps, state: WantedState) {
    this.#deps = deps
    this.#state = state
  }

  /** Network id → why its guests cannot be wired here. */
  get problems(): ReadonlyMap<string, string> {
    return this.#problems
  }

  /** A bridge that no network wants any more still has a guest on it: when that ends, the bridge can go. */
  get outstaying(): boolean {
    return this.#outstaying
  }

  /** Puts an answer of the server on record; the host is changed by the functions below. */
  note(difference: Difference): void {
    for (const id of difference.networks) if (!this.#state.remotePorts.has(id)) this.#forwarding.delete(id)
    for (const { networkId, before, after } of difference.remotePorts) {
      let book = this.#forwarding.get(networkId)
      if (book === undefined) {
        book = new ForwardingBook()
        this.#forwarding.set(networkId, book)
      }
      book.change(before, after)
    }
  }

  /** Makes the host's bridges and uplinks what is wanted. */
  async compare(): Promise<void> {
    const { host, names, options } = this.#deps
    const links = await host.links()
    const networks = [...this.#state.networks.values()]
    const routes = this.#needsRoutes(links) ? await host.routes() : []
    const plan = planDevices({ networks, links, routes, names, options, keptApart: this.#keptApart })
    const removed = new Set(plan.changes.flatMap((change) => (change.do === 'remove' ? [change.name] : [])))
    this.#outstaying = this.#unwantedBridges(links).some((name) => !removed.has(name))
    await this.#change(plan)
    await this.#moveNics(plan)
    this.#tellProblems(plan.problems)
    this.#problems = plan.problems
    this.#vxlans = plan.vxlans
  }

  async #change(plan: DevicesPlan): Promise<void> {
    const { host, log } = this.#deps
    if (plan.changes.length === 0) return
    await host.changeLinks(plan.changes)
    for (const bridge of plan.newBridges) await host.setSysctl(`net.ipv6.conf.${bridge}.disable_ipv6`, '1')
    log.info({ changes: plan.changes }, 'bridges changed')
  }

  async #moveNics({ moves, problems }: DevicesPlan): Promise<void> {
    const { host, log } = this.#deps
    for (const move of moves) {
      const why = await joinBridge(host, move)
      if (why === undefined) log.info({ nic: move.nic.name, bridge: move.bridge }, 'NIC joined its bridge')
      else {
        this.#keptApart.set(move.nic.name, why)
        problems.set(move.networkId, why)
      }
    }
  }

  /** Makes what vxlan devices know what is wanted, whatever it was. */
  async compareForwarding(): Promise<void> {
    const { host, options } = this.#deps
    if (!options.vxlan.l2Population) return
    for (const [networkId, device] of this.#vxlans)
      await (this.#forwarding.get(networkId) ?? new ForwardingBook()).compare(host, device)
  }

  /** Tells vxlan devices what changed. */
  async changeForwarding(networkIds: Iterable<string>): Promise<void> {
    const { host, options } = this.#deps
    if (!options.vxlan.l2Population) return
    for (const id of new Set(networkIds)) {
      const device = this.#vxlans.get(id)
      if (device !== undefined) await this.#forwarding.get(id)?.applyChanges(host, device)
    }
  }

  #unwantedBridges(links: ReadonlyMap<string, Link>): string[] {
    const wanted = new Set([...this.#state.networks.keys()].map(bridgeName))
    const own = (link: Link) => link.kind === 'bridge' && link.alias === this.#deps.names.alias
    return [...links.values()].filter((link) => own(link) && !wanted.has(link.name)).map((link) => link.name)
  }

  /** Routes matter only while a NIC with addresses joins or leaves a bridge. */
  #needsRoutes(links: ReadonlyMap<string, Link>): boolean {
    return (
      this.#state.networks.values().some((network) => network.physicalNetwork !== null) ||
      links.values().some((link) => link.kind === 'bridge' && link.addresses.length > 0)
    )
  }

  #tellProblems(problems: ReadonlyMap<string, string>): void {
    for (const [networkId, problem] of problems) {
      if (this.#problems.get(networkId) !== problem)
        this.#deps.log.error({ networkId, problem }, 'network cannot be wired on this host')
    }
  }
}
