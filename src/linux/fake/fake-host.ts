/** A simulated host: devices, namespaces, rules and sets as data. It can do without root all that the agents do. */
import { Fault } from '../../base/errors.ts'
import type { TrackedAddress } from '../conntrack.ts'
import type { ForwardingEntry } from '../fdb.ts'
import type { Host } from '../host.ts'
import { applySetChanges, type MutableSets, type SetChange } from '../ipset.ts'
import { applyTableChange, type MutableTables, type RuleFamily, type TableChange } from '../iptables.ts'
import type { Link, LinkChange, PortDevice, Route } from '../links.ts'

type MutableLink = { -readonly [K in keyof Link]: Link[K] }

const newRules = (tables: Record<string, string[]>): MutableTables =>
  new Map(
    Object.entries(tables).map(([table, chains]) => [table, new Map(chains.map((chain) => [chain, []]))]),
  )

export class FakeHost implements Host {
  readonly #namespaces = new Map<string, Map<string, MutableLink>>([['', new Map()]])
  /** The other end of each veth device, both named `<namespace>/<device>`. */
  readonly #peers = new Map<string, string>()
  readonly #routes = new Map<string, Route[]>()
  readonly #forwarding = new Map<string, Map<string, ForwardingEntry>>()
  readonly #rules: Record<RuleFamily, MutableTables> = {
    ipv4: newRules({ raw: ['PREROUTING'], filter: ['INPUT', 'FORWARD'], nat: ['POSTROUTING'] }),
    ipv6: newRules({ raw: ['PREROUTING'], filter: ['INPUT', 'FORWARD'], nat: ['POSTROUTING'] }),
    bridge: newRules({ nat: ['PREROUTING'] }),
  }
  readonly #sets: MutableSets = new Map()
  readonly #watchers = new Set<(name: string) => void>()
  readonly sysctls = new Map<string, string>()
  /** Addresses whose connections were ended. */
  readonly forgotten: TrackedAddress[] = []
  /** How often anything was changed: a reconciler that has nothing to do leaves it alone. */
  changes = 0

  /** What a hypervisor does when it starts a guest: a tap device in the bridge, which it makes if nobody has yet. */
  plugTap(name: string, bridge: string): void {
    const links = this.#linksOf()
    if (links.has(name)) return
    if (!links.has(bridge)) {
      links.set(bridge, { ...newLink(bridge, 'bridge'), up: true })
      this.#tell(bridge)
    }
    links.set(name, { ...newLink(name, 'tun'), master: bridge, up: true })
    this.#tell(name)
  }

  /** What a hypervisor does when a guest ends. */
  unplugTap(name: string): void {
    if (this.#linksOf().delete(name)) this.#tell(name)
  }

  /** A device the host was born with. */
  addPhysical(name: string, addresses: readonly string[] = []): void {
    this.#linksOf().set(name, { ...newLink(name, ''), up: true, addresses })
  }

  async filterBridgedFrames(): Promise<void> {
    this.sysctls.set('net.bridge.bridge-nf-call-iptables', '1')
  }

  async setSysctl(name: string, value: string): Promise<void> {
    this.sysctls.set(name, value)
  }

  async links(netns = ''): Promise<ReadonlyMap<string, Link>> {
    return new Map(this.#linksOf(netns))
  }

  async portDevices(names: readonly string[]): Promise<ReadonlyMap<string, PortDevice>> {
    const links = this.#linksOf()
    return new Map(
      names.flatMap((name) => {
        const link = links.get(name)
        return link === undefined ? [] : [[name, { ...link }]]
      }),
    )
  }

  async routes(netns = ''): Promise<Route[]> {
    return [...(this.#routes.get(netns) ?? [])]
  }

  watchLinks(onChange: (name: string) => void): AsyncDisposable {
    this.#watchers.add(onChange)
    const stop = async () => {
      this.#watchers.delete(onChange)
    }
    return { [Symbol.asyncDispose]: stop }
  }

  async namespaces(): Promise<string[]> {
    return [...this.#namespaces.keys()].filter((name) => name !== '')
  }

  async addNamespace(name: string): Promise<void> {
    if (this.#namespaces.has(name)) return
    this.changes++
    this.#namespaces.set(name, new Map())
  }

  async removeNamespace(name: string): Promise<void> {
    if (!this.#namespaces.has(name)) return
    this.changes++
    for (const link of this.#linksOf(name).keys()) this.#removeLink(link, name)
    this.#namespaces.delete(name)
    this.#routes.delete(name)
  }

  async changeLinks(changes: readonly LinkChange[], netns = ''): Promise<void> {
    const failed: string[] = []
    for (const change of changes) {
      this.changes++
      try {
        this.#changeLink(change, netns)
      } catch (error) {
        failed.push((error as Error).message)
      }
    }
    if (failed.length > 0) throw new Fault('unavailable', failed.join('; '))
  }

  #changeLink(change: LinkChange, netns: string): void {
    const links = this.#linksOf(netns)
    const add = (link: MutableLink, to = links) => {
      if (to.has(link.name)) throw new Error(`${link.name} exists`)
      to.set(link.name, link)
    }
    switch (change.do) {
      case 'add-bridge':
        add(newLink(change.name, 'bridge'))
        break
      case 'add-vxlan':
        add(newLink(change.name, 'vxlan'))
        break
      case 'add-vlan':
        this.#link(change.parent, netns)
        add(newLink(change.name, 'vlan'))
        break
      case 'add-veth':
        add(newLink(change.name, 'veth'))
        add(
          { ...newLink(change.peer, 'veth'), macAddress: change.peerMacAddress ?? '' },
          this.#linksOf(change.peerNetns ?? netns),
        )
        this.#peers.set(`${netns}/${change.name}`, `${change.peerNetns ?? netns}/${change.peer}`)
        this.#peers.set(`${change.peerNetns ?? netns}/${change.peer}`, `${netns}/${change.name}`)
        break
      case 'remove':
        this.#link(change.name, netns)
        this.#removeLink(change.name, netns)
        break
      case 'set': {
        const link = this.#link(change.name, netns)
        if (typeof change.master === 'string') this.#link(change.master, netns)
        const { do: _, name: __, ...values } = change
        Object.assign(link, values)
        break
      }
      case 'add-address': {
        const link = this.#link(change.name, netns)
        link.addresses = [...new Set([...link.addresses, change.address])]
        break
      }
      case 'remove-address': {
        const link = this.#link(change.name, netns)
        link.addresses = link.addresses.filter((address) => address !== change.address)
        break
      }
      case 'add-route':
        this.#link(change.name, netns)
        this.#routes.set(netns, [
          ...(this.#routes.get(netns) ?? []).filter((route) => route.destination !== change.destination),
          { destination: change.destination, gateway: change.gateway ?? null, device: change.name },
        ])
        break
    }
    if (netns === '') this.#tell(change.name)
  }

  async forwarding(device: string): Promise<ForwardingEntry[]> {
    return [...(this.#forwarding.get(device)?.values() ?? [])]
  }

  async changeForwarding(
    device: string,
    changes: { add: readonly ForwardingEntry[]; remove: readonly ForwardingEntry[] },
  ): Promise<void> {
    const entries = this.#forwarding.get(device) ?? new Map<string, ForwardingEntry>()
    this.#forwarding.set(device, entries)
    for (const entry of changes.remove) entries.delete(`${entry.macAddress} ${entry.destination}`)
    for (const entry of changes.add) entries.set(`${entry.macAddress} ${entry.destination}`, entry)
    this.changes += changes.add.length + changes.remove.length
  }

  async rules(family: RuleFamily): Promise<MutableTables> {
    const copy = (chains: Map<string, string[]>) =>
      new Map([...chains].map(([chain, rules]) => [chain, [...rules]]))
    return new Map([...this.#rules[family]].map(([table, chains]) => [table, copy(chains)]))
  }

  async changeRules(family: RuleFamily, changes: readonly TableChange[]): Promise<void> {
    for (const change of changes) applyTableChange(this.#rules[family], change)
    this.changes += changes.length
  }

  async sets(): Promise<MutableSets> {
    return new Map(
      [...this.#sets].map(([name, { family, entries }]) => [name, { family, entries: new Set(entries) }]),
    )
  }

  async changeSets(changes: readonly SetChange[]): Promise<void> {
    applySetChanges(this.#sets, changes)
    this.changes += changes.length
  }

  async forgetConnections(addresses: readonly TrackedAddress[]): Promise<void> {
    this.forgotten.push(...addresses)
  }

  async protocolNames(): Promise<ReadonlyMap<number, string>> {
    return new Map()
  }

  #linksOf(netns = ''): Map<string, MutableLink> {
    const links = this.#namespaces.get(netns)
    if (links === undefined) throw new Fault('unavailable', `There is no namespace ${netns}.`, { netns })
    return links
  }

  #link(name: string, netns: string): MutableLink {
    const link = this.#linksOf(netns).get(name)
    if (link === undefined) throw new Error(`there is no device ${name}`)
    return link
  }

  #removeLink(name: string, netns: string): void {
    const links = this.#linksOf(netns)
    links.delete(name)
    for (const link of links.values()) if (link.master === name) link.master = null
    const [peerNetns, peer] = this.#peers.get(`${netns}/${name}`)?.split('/') ?? []
    this.#peers.delete(`${netns}/${name}`)
    if (peerNetns === undefined || peer === undefined) return
    this.#peers.delete(`${peerNetns}/${peer}`)
    this.#linksOf(peerNetns).delete(peer)
    if (peerNetns === '') this.#tell(peer)
  }

  #tell(name: string): void {
    for (const watcher of this.#watchers) watcher(name)
  }
}

const newLink = (name: string, kind: string): MutableLink => ({
  name,
  kind,
  macAddress: '',
  mtu: 1500,
  master: null,
  alias: '',
  up: false,
  addresses: [],
})
