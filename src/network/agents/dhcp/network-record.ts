/** A network as the DHCP agent keeps it, put together from its description and the changes of its ports. */
import type { DhcpClient, WantedDhcpNetwork } from '../../rpc/agents.ts'
import type { ServedNetwork } from './network.ts'

/** What must be done on the host for a network. */
export type Due = 'nothing' | 'ports' | 'all'

export class NetworkRecord {
  readonly #ports = new Map<string, DhcpClient>()
  readonly #untold = new Set<string>()
  #description: Omit<WantedDhcpNetwork, 'ports'>
  #due: Due = 'all'
  #checkedAt = Number.NEGATIVE_INFINITY

  constructor(network: WantedDhcpNetwork) {
    const { ports: _, ...description } = network
    this.#description = description
    if (description.dhcpPort !== null) this.#untold.add(description.dhcpPort.id)
    this.describe(network)
  }

  get id(): string {
    return this.#description.id
  }

  get subnets(): WantedDhcpNetwork['subnets'] {
    return this.#description.subnets
  }

  get portCount(): number {
    return this.#ports.size
  }

  get dhcpPort(): WantedDhcpNetwork['dhcpPort'] {
    return this.#description.dhcpPort
  }

  set dhcpPort(port: WantedDhcpNetwork['dhcpPort']) {
    this.#description = { ...this.#description, dhcpPort: port }
    this.#due = 'all'
    if (port !== null) this.#untold.add(port.id)
  }

  /** The whole network was read anew. */
  describe(network: WantedDhcpNetwork): void {
    const { ports, ...description } = network
    if (JSON.stringify(description) !== JSON.stringify(this.#description)) {
      const { dhcpPort } = description
      if (dhcpPort !== null && dhcpPort.id !== this.dhcpPort?.id) this.#untold.add(dhcpPort.id)
      this.#description = description
      this.#due = 'all'
    }
    const there = new Set(ports.map((port) => port.id))
    for (const id of [...this.#ports.keys()]) if (!there.has(id)) this.removePort(id)
    for (const port of ports) this.setPort(port)
  }

  setPort(port: DhcpClient): void {
    const before = this.#ports.get(port.id)
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(port)) return
    this.#ports.set(port.id, port)
    this.#untold.add(port.id)
    this.#portsChanged(before, port)
  }

  removePort(id: string): void {
    if (id === this.dhcpPort?.id) this.dhcpPort = null
    const before = this.#ports.get(id)
    this.#untold.delete(id)
    if (!this.#ports.delete(id)) return
    this.#portsChanged(before)
  }

  // A router on a subnet changes what its guests are told, and by which way they reach the metadata service.
  #portsChanged(...ports: (DhcpClient | undefined)[]): void {
    const router = ports.some((port) => port?.deviceOwner.startsWith('network:router') === true)
    if (router) this.#due = 'all'
    else if (this.#due === 'nothing') this.#due = 'ports'
  }

  get due(): Due {
    return this.#due
  }

  /** Everything is looked at again after a while, in case somebody else changed something. */
  isOld(now: number, checkAgainMilliseconds: number): boolean {
    return now - this.#checkedAt >= checkAgainMilliseconds
  }

  done(due: Due, now: number): void {
    this.#due = 'nothing'
    if (due === 'all') this.#checkedAt = now
  }

  /** It must be done all over. */
  failed(): void {
    this.#due = 'all'
  }

  served(dhcpPort: NonNullable<WantedDhcpNetwork['dhcpPort']>): ServedNetwork {
    return { ...this.#description, dhcpPort, ports: this.#ports }
  }

  /** Ports that came or changed since they were last told to be ready. */
  untold(): string[] {
    return [...this.#untold]
  }

  told(ids: Iterable<string>): void {
    for (const id of ids) this.#untold.delete(id)
  }
}
