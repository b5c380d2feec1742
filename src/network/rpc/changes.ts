/** What a change of the database means for agents: logged with it, so that they can ask what changed since they last did. */

/** A port that came, went or looks different to somebody. */
export interface PortChange {
  id: string
  networkId: string
  /** Hosts whose L2 agent wires the port, or did until now. */
  hosts: readonly string[]
  /** Security groups that it is or was in, when its addresses or its memberships changed. */
  groups: readonly string[]
  /** DHCP knows something else of it. */
  dhcp: boolean
  /** Hosts that reach it through a tunnel must learn where it is. */
  moved: boolean
}

export class Changes {
  readonly ports = new Map<string, PortChange>()
  /** Networks whose description changed for all that have a port on them, or serve them. */
  readonly networks = new Set<string>()
  /** Hosts of DHCP agents that serve another set of networks now. */
  readonly dhcpHosts = new Set<string>()
  /** Security groups whose rules changed. */
  readonly groups = new Set<string>()
  /** Hosts whose tunnels end somewhere else now. */
  readonly tunnelHosts = new Set<string>()
  /** Only what the API shows is different: nothing for agents to do. */
  views = false
  /** More than could be said: everybody reads all. */
  everything = false

  /** True when agents need not be told. */
  get empty(): boolean {
    return !this.everything && this.ports.size + this.#sets().reduce((sum, set) => sum + set.size, 0) === 0
  }

  /** Adds what changed of a port to what is known to have changed of it. */
  port(change: PortChange): void {
    const before = this.ports.get(change.id)
    this.ports.set(change.id, before === undefined ? change : merge(before, change))
  }

  add(other: Changes): void {
    for (const change of other.ports.values()) this.port(change)
    const own = this.#sets()
    for (const [index, set] of other.#sets().entries()) for (const item of set) own[index]!.add(item)
    this.everything ||= other.everything
  }

  clear(): void {
    this.ports.clear()
    for (const set of this.#sets()) set.clear()
    this.views = false
    this.everything = false
  }

  /** For the log; `add` of what `parseChanges` makes of it gives the same. */
  toText(): string {
    if (this.everything) return everythingText
    const sets = this.#sets().map((set) => [...set])
    const ports = [...this.ports.values()].map((port) => [
      port.id,
      port.networkId,
      port.hosts,
      port.groups,
      Number(port.dhcp) + 2 * Number(port.moved),
    ])
    const text = JSON.stringify([ports, ...sets])
    return text.length > longestText ? everythingText : text
  }

  #sets(): Set<string>[] {
    return [this.networks, this.dhcpHosts, this.groups, this.tunnelHosts]
  }
}

const everythingText = '"everything"'

/** As much as a text column holds in every database. */
const longestText = 60_000

type LoggedPort = [id: string, networkId: string, hosts: string[], groups: string[], flags: number]
type Logged = [LoggedPort[], networks: string[], dhcpHosts: string[], groups: string[], tunnelHosts: string[]]

export function parseChanges(text: string): Changes {
  const changes = new Changes()
  if (text === everythingText) {
    changes.everything = true
    return changes
  }
  const [ports, networks, dhcpHosts, groups, tunnelHosts] = JSON.parse(text) as Logged
  for (const [id, networkId, hosts, memberOf, flags] of ports) {
    const [dhcp, moved] = [(flags & 1) === 1, (flags & 2) === 2]
    changes.port({ id, networkId, hosts, groups: memberOf, dhcp, moved })
  }
  for (const id of networks) changes.networks.add(id)
  for (const host of dhcpHosts) changes.dhcpHosts.add(host)
  for (const id of groups) changes.groups.add(id)
  for (const host of tunnelHosts) changes.tunnelHosts.add(host)
  return changes
}

const merge = (one: PortChange, other: PortChange): PortChange => ({
  id: one.id,
  networkId: one.networkId,
  hosts: union(one.hosts, other.hosts),
  groups: union(one.groups, other.groups),
  dhcp: one.dhcp || other.dhcp,
  moved: one.moved || other.moved,
})

const union = (one: readonly string[], other: readonly string[]): readonly string[] =>
  other.every((item) => one.includes(item)) ? one : [...new Set([...one, ...other])]
