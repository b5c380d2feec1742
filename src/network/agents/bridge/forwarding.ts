/** L2 population: tells vxlan devices which host each guest lives on, instead of asking everybody. */
import { type ForwardingEntry, floodMacAddress } from '../../../linux/fdb.ts'
import type { Host } from '../../../linux/host.ts'
import type { RemotePort } from '../../rpc/agents.ts'
import { CountedSet } from '../counted-set.ts'

const keyOf = (entry: ForwardingEntry): string => `${entry.macAddress} ${entry.destination}`

function entryOf(key: string): ForwardingEntry {
  const [macAddress, destination] = key.split(' ') as [string, string]
  return { macAddress, destination }
}

/** A guest elsewhere is an entry of its own, and its host one to flood to. */
const keysOf = (port: RemotePort): string[] =>
  [floodMacAddress, port.macAddress.toLowerCase()].map((macAddress) =>
    keyOf({ macAddress, destination: port.tunnelIp! }),
  )

/** What the vxlan device of one network must know, and what changed of it. */
export class ForwardingBook {
  readonly #entries = new CountedSet()
  #add = new Set<string>()
  #remove = new Set<string>()

  change(before: RemotePort | undefined, after: RemotePort | undefined): void {
    for (const key of after === undefined ? [] : keysOf(after)) {
      if (this.#entries.add(key) && !this.#remove.delete(key)) this.#add.add(key)
    }
    for (const key of before === undefined ? [] : keysOf(before)) {
      if (this.#entries.delete(key) && !this.#add.delete(key)) this.#remove.add(key)
    }
  }

  async applyChanges(host: Host, device: string): Promise<void> {
    const changes = { add: [...this.#add].map(entryOf), remove: [...this.#remove].map(entryOf) }
    this.#forgetChanges()
    if (changes.add.length + changes.remove.length > 0) await host.changeForwarding(device, changes)
  }

  /** Makes a device's entries what is wanted, whatever they were. */
  async compare(host: Host, device: string): Promise<void> {
    this.#forgetChanges()
    const actual = await host.forwarding(device)
    const there = new Set(actual.map(keyOf))
    const needed = new Set(this.#entries.keys())
    const changes = {
      add: [...needed].filter((key) => !there.has(key)).map(entryOf),
      remove: actual.filter((entry) => !needed.has(keyOf(entry))),
    }
    if (changes.add.length + changes.remove.length > 0) await host.changeForwarding(device, changes)
  }

  #forgetChanges(): void {
    this.#add = new Set()
    this.#remove = new Set()
  }
}
