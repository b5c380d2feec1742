/** What the server wants of this host, put together from a whole answer and the changes that followed it. */
import {
  type Changed,
  type KnownL2,
  type Member,
  type News,
  type RemotePort,
  seenFrom,
  type WantedGroup,
  type WantedL2,
  type WantedNetwork,
  type WantedPort,
} from '../../rpc/agents.ts'

/** What an answer changed. */
export interface Difference {
  /** Ports that came, went or changed, or whose groups' rules did. */
  ports: Set<string>
  networks: Set<string>
  groups: Set<string>
  members: { groupId: string; before: readonly string[]; after: readonly string[] }[]
  remotePorts: { networkId: string; before: RemotePort | undefined; after: RemotePort | undefined }[]
}

export const noDifference = (): Difference => ({
  ports: new Set(),
  networks: new Set(),
  groups: new Set(),
  members: [],
  remotePorts: [],
})

/** Adds what another answer changed to what one changed before. */
export function addDifference(to: Difference, other: Difference): void {
  for (const id of other.ports) to.ports.add(id)
  for (const id of other.networks) to.networks.add(id)
  for (const id of other.groups) to.groups.add(id)
  to.members.push(...other.members)
  to.remotePorts.push(...other.remotePorts)
}

/**
 * What to do with news: `known` is what came before an answer that knew it already, `next` can be followed, after
 * `missed` there is something in between, and `ask` is for one for whom more changed than the news say.
 */
export type Standing = 'known' | 'next' | 'missed' | 'ask'

export class WantedState {
  readonly ports = new Map<string, WantedPort>()
  readonly networks = new Map<string, WantedNetwork>()
  readonly groups = new Map<string, WantedGroup>()
  /** Group → port → its addresses. */
  readonly members = new Map<string, Map<string, readonly string[]>>()
  /** Network → port. */
  readonly remotePorts = new Map<string, Map<string, RemotePort>>()
  readonly #portsOfNetwork = new Map<string, Set<string>>()
  readonly #portsOfGroup = new Map<string, Set<string>>()
  /** Groups that rules name. */
  #remoteGroups = new Set<string>()
  /** Of what is known of everybody: of the last answer about all, or of the news that followed it. */
  revision: string | null = null
  /** Of what is known of the host's own ports, networks and groups. */
  #ownRevision: string | null = null

  /** What to ask from for the host's own alone. */
  get ownRevision(): string | null {
    return numberOf(this.#ownRevision) > numberOf(this.revision) ? this.#ownRevision : this.revision
  }

  portsOfNetwork(id: string): ReadonlySet<string> {
    return this.#portsOfNetwork.get(id) ?? new Set()
  }

  /** Ports with a rule about a remote group. */
  portsNaming(groupId: string): string[] {
    const naming = [...this.groups].filter(([, { rules }]) =>
      rules.some((rule) => rule.remoteGroupId === groupId),
    )
    return naming.flatMap(([id]) => [...(this.#portsOfGroup.get(id) ?? [])])
  }

  /** For the next question: of what is not in it the server tells all. */
  known(): KnownL2 {
    return {
      networks: [...this.networks.keys()],
      tunnelled: [...this.remotePorts.keys()],
      securityGroups: [...this.groups.keys()],
      remoteGroups: [...this.#remoteGroups],
    }
  }

  /** Whether something that changed is known here. */
  concerns(changed: Changed): boolean {
    return (
      changed.networks?.some((id) => this.networks.has(id)) === true ||
      changed.securityGroups?.some((id) => this.groups.has(id)) === true ||
      changed.tunnelled?.some((id) => this.remotePorts.has(id)) === true ||
      changed.remoteGroups?.some((id) => this.#remoteGroups.has(id)) === true
    )
  }

  standing(news: News, host: string): Standing {
    const at = numberOf(this.revision)
    if (this.revision?.split(':')[0] !== news.epoch || !(at >= news.from)) return 'missed'
    if (at >= news.to) return 'known'
    const own = numberOf(this.ownRevision)
    const later = (changed: Readonly<Record<string, number>>, isMine: (id: string) => boolean): boolean =>
      Object.entries(changed).some(([id, revision]) => revision > own && isMine(id))
    const more =
      later(news.hosts, (id) => id === host) ||
      later(news.networks, (id) => this.networks.has(id)) ||
      later(news.securityGroups, (id) => this.groups.has(id))
    return more ? 'ask' : 'next'
  }

  /** Whether news that can be followed say anything of what is known here. */
  isTouchedBy(news: News): boolean {
    return (
      news.members.some((member) => this.#remoteGroups.has(member.groupId)) ||
      news.remotePorts.some((port) => this.remotePorts.has(port.networkId))
    )
  }

  /** Takes over what `next` news say, as `host` sees it. */
  follow(news: News, host: string): Difference {
    const difference = noDifference()
    for (const member of news.members)
      if (this.#remoteGroups.has(member.groupId)) this.#setMember(member, difference)
    for (const port of news.remotePorts) this.#setRemotePort(seenFrom(host, port), difference)
    this.revision = `${news.epoch}:${news.to}`
    return difference
  }

  /** Takes over an answer; `own`: it was asked for the host's own alone. */
  apply(answer: WantedL2, own = false): Difference {
    const difference = noDifference()
    if (answer.whole) this.#removeUnnamed(answer, difference)
    for (const network of answer.networks) {
      this.networks.set(network.id, network)
      difference.networks.add(network.id)
      if (network.networkType !== 'vxlan') this.remotePorts.delete(network.id)
      else if (!this.remotePorts.has(network.id)) this.remotePorts.set(network.id, new Map())
    }
    for (const [id, group] of Object.entries(answer.securityGroups)) this.#setGroup(id, group, difference)
    for (const port of answer.ports) this.#setPort(port.id, port, difference)
    for (const id of answer.gonePorts) this.#setPort(id, undefined, difference)
    this.#forgetUnneeded(difference)
    for (const member of answer.members) this.#setMember(member, difference)
    for (const port of answer.remotePorts) this.#setRemotePort(port, difference)
    this.#ownRevision = answer.revision
    if (answer.whole || !own) this.revision = answer.revision
    return difference
  }

  /** A whole answer does not name what is gone. */
  #removeUnnamed(answer: WantedL2, difference: Difference): void {
    const ports = new Set(answer.ports.map((port) => port.id))
    for (const id of [...this.ports.keys()]) if (!ports.has(id)) this.#setPort(id, undefined, difference)
    const members = new Set(answer.members.map((member) => `${member.groupId} ${member.portId}`))
    for (const [groupId, of] of this.members) {
      for (const portId of [...of.keys()])
        if (!members.has(`${groupId} ${portId}`))
          this.#setMember({ groupId, portId, addresses: [] }, difference)
    }
    const remote = new Set(answer.remotePorts.map((port) => `${port.networkId} ${port.portId}`))
    for (const [networkId, of] of this.remotePorts) {
      for (const portId of [...of.keys()])
        if (!remote.has(`${networkId} ${portId}`))
          this.#setRemotePort({ networkId, portId, macAddress: '', tunnelIp: null }, difference)
    }
  }

  #setPort(id: string, port: WantedPort | undefined, difference: Difference): void {
    const before = this.ports.get(id)
    if (before === undefined && port === undefined) return
    difference.ports.add(id)
    if (before !== undefined) {
      remove(this.#portsOfNetwork, before.networkId, id)
      for (const group of before.securityGroupIds) remove(this.#portsOfGroup, group, id)
    }
    if (port === undefined) this.ports.delete(id)
    else {
      this.ports.set(id, port)
      add(this.#portsOfNetwork, port.networkId, id)
      for (const group of port.securityGroupIds) add(this.#portsOfGroup, group, id)
    }
  }

  #setGroup(id: string, group: WantedGroup, difference: Difference): void {
    this.groups.set(id, group)
    difference.groups.add(id)
    for (const port of this.#portsOfGroup.get(id) ?? []) difference.ports.add(port)
  }

  #setMember({ groupId, portId, addresses }: Member, difference: Difference): void {
    let of = this.members.get(groupId)
    if (of === undefined) {
      if (addresses.length === 0 || !this.#remoteGroups.has(groupId)) return
      of = new Map()
      this.members.set(groupId, of)
    }
    const before = of.get(portId) ?? []
    if (addresses.length > 0) of.set(portId, addresses)
    else if (of.delete(portId) && of.size === 0) this.members.delete(groupId)
    difference.members.push({ groupId, before, after: addresses })
  }

  #setRemotePort(port: RemotePort, difference: Difference): void {
    const of = this.remotePorts.get(port.networkId)
    if (of === undefined) return
    const before = of.get(port.portId)
    const after = port.tunnelIp === null ? undefined : port
    if (after === undefined) of.delete(port.portId)
    else of.set(port.portId, after)
    if (before !== undefined || after !== undefined)
      difference.remotePorts.push({ networkId: port.networkId, before, after })
  }

  /** Networks and groups without a port here, and members of groups that no rule names, are nobody's business. */
  #forgetUnneeded(difference: Difference): void {
    for (const id of this.networks.keys()) {
      if (this.#portsOfNetwork.has(id)) continue
      this.networks.delete(id)
      this.remotePorts.delete(id)
      difference.networks.add(id)
    }
    for (const id of this.groups.keys()) {
      if (this.#portsOfGroup.has(id)) continue
      this.groups.delete(id)
      difference.groups.add(id)
    }
    if (difference.groups.size === 0) return
    const rules = [...this.groups.values()].flatMap((group) => group.rules)
    this.#remoteGroups = new Set(rules.flatMap((rule) => rule.remoteGroupId ?? []))
    for (const id of this.members.keys()) if (!this.#remoteGroups.has(id)) this.members.delete(id)
  }
}

const numberOf = (revision: string | null): number => Number(revision?.split(':')[1])

function add(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key)
  if (ids === undefined) index.set(key, new Set([id]))
  else ids.add(id)
}

function remove(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key)
  ids?.delete(id)
  if (ids?.size === 0) index.delete(key)
}
