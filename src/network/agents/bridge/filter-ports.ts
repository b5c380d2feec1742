/** The packet filter of the host's ports: whole, or for what changed. Who may do less than before loses its connections. */
import { describeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { TrackedAddress } from '../../../linux/conntrack.ts'
import type { Host } from '../../../linux/host.ts'
import type { AddressSets } from '../../../linux/ipset.ts'
import type { WantedPort } from '../../rpc/agents.ts'
import { bridgeName, type CloudNames } from '../names.ts'
import type { BridgeOptions } from './options.ts'
import { changeFilter, compareFilter, readHostRules } from './packet-filter.ts'
import { bridgeOf } from './plan-devices.ts'
import { portRules, type TablePart } from './port-rules.ts'
import { RuleBook } from './rule-book.ts'
import type { ProtocolNames } from './rule-text.ts'
import { SetBook } from './set-book.ts'
import type { Difference, WantedState } from './wanted-state.ts'
import { Zones, zonesInUse } from './zones.ts'

interface FilterDeps {
  host: Host
  names: CloudNames
  options: BridgeOptions
  log: Logger
}

export class PortFilter {
  readonly #deps: FilterDeps
  readonly #state: WantedState
  readonly #rules: RuleBook
  readonly #sets: SetBook
  readonly #zones = new Zones()
  /** Ports as their rules were made of them. */
  readonly #ports = new Map<string, WantedPort>()
  /** Ports, as they were, that may do less than before or are gone: their open connections must end. */
  readonly #restricted = new Map<string, WantedPort>()
  /** Addresses that left a set, by the group of the set: connections with them must be judged anew. */
  readonly #left = new Map<string, Set<string>>()
  /** Undefined before `prepare`. */
  #protocols: ProtocolNames | undefined

  constructor(deps: FilterDeps, state: WantedState) {
    this.#deps = deps
    this.#state = state
    this.#rules = new RuleBook(deps.names)
    this.#sets = new SetBook(deps.names)
  }

  /** Learns how this host calls protocols, and which zones it uses; to be called before `note`. */
  async prepare(): Promise<void> {
    if (this.#protocols !== undefined) return
    const { host } = this.#deps
    this.#zones.learn(zonesInUse(await host.rules('ipv4')), new Set())
    this.#protocols = await host.protocolNames()
  }

  #zoneOf(port: WantedPort): number {
    return this.#zones.of(this.#bridgeOf(port.networkId))
  }

  /** Of the ports whose rules let members of a group in. */
  #zonesNaming(groupId: string): Set<number> {
    const ports = this.#state.portsNaming(groupId).map((id) => this.#ports.get(id))
    return new Set(ports.flatMap((port) => (port === undefined ? [] : [this.#zoneOf(port)])))
  }

  /** Puts an answer of the server on record; the host is changed by `apply` or `compare`. */
  note(difference: Difference): void {
    const { packets, sets } = this.#deps.options.filter
    const ports = new Set(difference.ports)
    if (packets && sets) this.#noteSets(difference)
    else if (packets) {
      for (const { groupId } of difference.members)
        for (const id of this.#state.portsNaming(groupId)) ports.add(id)
    }
    for (const id of ports) this.#notePort(id)
  }

  #noteSets({ members, groups }: Difference): void {
    // Sets that are new take their members from the state, which has these already.
    for (const { groupId, before, after } of members) {
      const gone = this.#sets.change(groupId, before, after)
      if (gone.length > 0) this.#left.set(groupId, new Set([...(this.#left.get(groupId) ?? []), ...gone]))
    }
    if (groups.size > 0) this.#sets.name(this.#state.groups.values(), this.#state.members)
  }

  #notePort(id: string): void {
    const { names, options } = this.#deps
    const port = this.#state.ports.get(id)
    const bridge = port === undefined ? '' : this.#bridgeOf(port.networkId)
    const parts =
      port === undefined
        ? []
        : portRules(port, {
            packets: options.filter.packets,
            groups: this.#state.groups,
            members: options.filter.sets ? undefined : this.#state.members,
            names,
            protocols: this.#protocols ?? new Map(),
            bridge,
            zone: this.#zones.of(bridge),
          })
    const before = this.#rules.set(id, parts)
    const last = this.#ports.get(id)
    if (last !== undefined && allowsLess(before, parts)) this.#restricted.set(id, last)
    if (port === undefined) this.#ports.delete(id)
    else this.#ports.set(id, port)
  }

  #bridgeOf(networkId: string): string {
    const network = this.#state.networks.get(networkId)
    return network === undefined ? bridgeName(networkId) : bridgeOf(network, this.#deps.options)
  }

  /** Changes on the host what was noted since the last time. */
  async apply(): Promise<void> {
    const changes = { rules: this.#rules.takeChanges(), sets: this.#sets.takeChanges() }
    if (await changeFilter(this.#deps.host, changes))
      this.#deps.log.debug({ ports: this.#ports.size }, 'packet filter changed')
  }

  /** Reads all rules and sets of the host, and makes them what is wanted. */
  async compare(): Promise<void> {
    const { host, names, log } = this.#deps
    const actual = { ...(await readHostRules(host)), sets: await this.#setsOf(host) }
    const bridges = [...this.#state.networks.keys()].map((id) => this.#bridgeOf(id))
    this.#zones.learn(zonesInUse(actual.ipv4), new Set(bridges))
    this.#rules.takeChanges()
    this.#sets.takeChanges()
    const wanted = { rules: this.#rules.whole(), sets: this.#sets.whole() }
    if (await changeFilter(host, compareFilter(names, actual, wanted)))
      log.info({ ports: this.#ports.size }, 'packet filter changed')
  }

  /** Without `enable_ipset` there are none to keep, and the tool need not be there to find those of before. */
  async #setsOf(host: Host): Promise<AddressSets> {
    const { packets, sets } = this.#deps.options.filter
    if (packets && sets) return await host.sets()
    return await host.sets().catch(() => new Map())
  }

  /** Ends what rules that are gone once allowed. The rules themselves are in force already if this fails. */
  async endConnections(): Promise<void> {
    const found = new Map<string, TrackedAddress>()
    const add = (address: string, zone: number) => found.set(`${address} ${zone}`, { address, zone })
    for (const port of this.#restricted.values())
      for (const { ipAddress } of port.fixedIps) add(ipAddress, this.#zoneOf(port))
    for (const [groupId, gone] of this.#left)
      for (const zone of this.#zonesNaming(groupId)) for (const address of gone) add(address, zone)
    this.#restricted.clear()
    this.#left.clear()
    const addresses = [...found.values()]
    if (addresses.length === 0) return
    try {
      await this.#deps.host.forgetConnections(addresses)
    } catch (error) {
      this.#deps.log.warn(
        { error: describeError(error), addresses },
        'open connections go on though their rules are gone',
      )
    }
  }
}

/** Whether something that was let through no longer is. */
function allowsLess(before: readonly TablePart[], after: readonly TablePart[]): boolean {
  const now = new Map(after.map((part) => [`${part.family} ${part.table}`, part.chains]))
  return before.some(({ family, table, chains }) =>
    chains.entries().some(([name, rules]) => {
      const allowed = new Set(now.get(`${family} ${table}`)?.get(name))
      return rules.some((rule) => rule.endsWith('-j RETURN') && !allowed.has(rule))
    }),
  )
}
