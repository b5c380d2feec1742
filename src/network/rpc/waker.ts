/**
 * Wakes agents after commits. Those whose own ports changed are woken at once, and while that message is on its way the
 * next ones gather; those that only have neighbours or members of a group there, a little later and all together: they
 * are told what changed with it. Each agent knows whether a message concerns it: nobody is looked up here.
 */
import type { Bus } from '../../base/bus/bus.ts'
import type { Logger } from '../../base/log.ts'
import { type Changed, dhcpAgentTopic, l2AgentTopic } from './agents.ts'
import { Changes } from './changes.ts'
import { newsSince } from './news.ts'
import type { ForwardingDeps } from './wanted-forwarding.ts'

export interface Waker extends AsyncDisposable {
  wake(changes: Changes): void
}

const laterMilliseconds = 200

/** More hosts than this are woken by one message to all. */
const fewHosts = 10

export function createWaker(deps: ForwardingDeps & { bus: Bus; log: Logger }): Waker {
  const soon = new Gathering(0, (changes) => wakeNear(deps.bus, changes), deps.log)
  let told: string | null = null
  const later = new Gathering(
    laterMilliseconds,
    async (changes) => {
      told = await wakeFar(deps, changes, told)
    },
    deps.log,
  )
  return {
    wake(changes) {
      soon.add(changes)
      if (changes.tunnelHosts.size > 0 || changes.ports.values().some(concernsFar)) later.add(changes)
    },
    async [Symbol.asyncDispose]() {
      await soon.stop()
      await later.stop()
    },
  }
}

const concernsFar = (port: { moved: boolean; groups: readonly string[] }): boolean =>
  port.moved || port.groups.length > 0

/** Changes that come within a while, or while others are handled, are handled together. */
class Gathering {
  readonly #pending = new Changes()
  readonly #handle: (changes: Changes) => Promise<void>
  readonly #milliseconds: number
  readonly #log: Logger
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(milliseconds: number, handle: (changes: Changes) => Promise<void>, log: Logger) {
    this.#milliseconds = milliseconds
    this.#handle = handle
    this.#log = log
  }

  add(changes: Changes): void {
    this.#pending.add(changes)
    if (this.#timer !== undefined) return
    const flush = () => {
      this.#running = this.#running.then(() => this.#flush())
    }
    this.#timer = this.#milliseconds === 0 ? setImmediate(flush) : setTimeout(flush, this.#milliseconds)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer as NodeJS.Timeout)
    clearImmediate(this.#timer as NodeJS.Immediate)
    await this.#running
    await this.#flush()
  }

  async #flush(): Promise<void> {
    this.#timer = undefined
    const changes = new Changes()
    changes.add(this.#pending)
    this.#pending.clear()
    if (changes.empty) return
    try {
      await this.#handle(changes)
    } catch (error) {
      // Agents look again on their own after a while.
      this.#log.warn({ err: error }, 'agents could not be woken')
    }
  }
}

async function wakeNear(bus: Bus, changes: Changes): Promise<void> {
  const ports = [...changes.ports.values()]
  const networks = [...changes.networks]
  const securityGroups = [...changes.groups]
  const hosts = [...new Set(ports.flatMap((port) => port.hosts))]
  if (changes.everything || networks.length + securityGroups.length > 0 || hosts.length > fewHosts)
    await send(bus, l2AgentTopic, changes, { hosts, networks, securityGroups })
  else
    for (const host of hosts)
      await bus.wake({ topic: l2AgentTopic, server: host }, 'changed', { hosts: [host] })
  const leased = ports.filter((port) => port.dhcp).map((port) => port.networkId)
  await send(bus, dhcpAgentTopic, changes, {
    hosts: [...changes.dhcpHosts],
    networks: [...new Set([...networks, ...leased])],
  })
}

/** Returns the revision that they were told of now; `told` is that of the last time. */
async function wakeFar(
  deps: ForwardingDeps & { bus: Bus },
  changes: Changes,
  told: string | null,
): Promise<string> {
  const { revision, news } = await newsSince(deps, told)
  const ports = [...changes.ports.values()]
  // Which networks a host has ports on, nobody looks up for the sake of a tunnel that moved.
  if (changes.tunnelHosts.size > 0) await deps.bus.fanout(l2AgentTopic, 'changed', {})
  else
    await send(deps.bus, l2AgentTopic, changes, {
      tunnelled: [...new Set(ports.filter((port) => port.moved).map((port) => port.networkId))],
      remoteGroups: [...new Set(ports.flatMap((port) => port.groups))],
      ...(news === undefined ? {} : { news }),
    })
  return revision
}

async function send(bus: Bus, topic: string, changes: Changes, changed: Changed): Promise<void> {
  if (changes.everything) return bus.fanout(topic, 'changed', {})
  const lists = Object.entries(changed).filter(([, value]) => !Array.isArray(value) || value.length > 0)
  if (lists.length > 0) await bus.fanout(topic, 'changed', Object.fromEntries(lists))
}
