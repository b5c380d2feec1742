/** What a change of the database means for agents, in the terms it was made in; who is woken is found later. */
export class Changes {
  /** Hosts whose own ports changed. */
  readonly hosts = new Set<string>()
  /** Networks whose description changed for all that have a port on them. */
  readonly networks = new Set<string>()
  /** Networks where a port came, went or moved: hosts that reach it through a tunnel must learn where it is. */
  readonly neighbours = new Set<string>()
  /** Networks whose DHCP changed. */
  readonly dhcpNetworks = new Set<string>()
  /** Hosts of DHCP agents that serve another set of networks now. */
  readonly dhcpHosts = new Set<string>()
  /** Security groups whose rules changed. */
  readonly groups = new Set<string>()
  /** Security groups whose members' addresses changed. */
  readonly members = new Set<string>()

  get empty(): boolean {
    return this.#sets().every((set) => set.size === 0)
  }

  add(other: Changes): void {
    const own = this.#sets()
    for (const [index, set] of other.#sets().entries()) for (const item of set) own[index]!.add(item)
  }

  clear(): void {
    for (const set of this.#sets()) set.clear()
  }

  #sets(): Set<string>[] {
    return [
      this.hosts,
      this.networks,
      this.neighbours,
      this.dhcpNetworks,
      this.dhcpHosts,
      this.groups,
      this.members,
    ]
  }
}
