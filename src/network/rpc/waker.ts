/**
 * Wakes agents after commits, many changes in one message. Hosts whose own ports changed are woken within
 * milliseconds; those that only have neighbours or members of a group there, a little later and all at once.
 */
import { type Kysely, sql } from 'kysely'
import type { Bus } from '../../base/bus/bus.ts'
import type { Logger } from '../../base/log.ts'
import type { Tables } from '../store/tables.ts'
import { dhcpAgentTopic, l2AgentTopic } from './agents.ts'
import { Changes } from './changes.ts'

export interface Waker extends AsyncDisposable {
  wake(changes: Changes): void
}

interface HostRow {
  host: string
}

const soonMilliseconds = 5
const laterMilliseconds = 200

export function createWaker(deps: { db: Kysely<Tables>; bus: Bus; log: Logger }): Waker {
  const soon = new Gathering(soonMilliseconds, (changes) => wakeNear(deps, changes), deps.log)
  const later = new Gathering(laterMilliseconds, (changes) => wakeFar(deps, changes), deps.log)
  return {
    wake(changes) {
      soon.add(changes)
      if (changes.members.size + changes.neighbours.size > 0) later.add(changes)
    },
    async [Symbol.asyncDispose]() {
      await soon.stop()
      await later.stop()
    },
  }
}

/** Changes that come within a while are handled together. */
class Gathering {
  readonly #pending = new Changes()
  readonly #handle: (changes: Changes) => Promise<void>
  readonly #milliseconds: number
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(milliseconds: number, handle: (changes: Changes) => Promise<void>, log: Logger) {
    this.#milliseconds = milliseconds
    this.#handle = handle
    this.#log = log
  }

  add(changes: Changes): void {
    this.#pending.add(changes)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#running = this.#running.then(() => this.#flush())
    }, this.#milliseconds)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#running
    await this.#flush()
  }

  async #flush(): Promise<void> {
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

async function wakeNear({ db, bus }: { db: Kysely<Tables>; bus: Bus }, changes: Changes): Promise<void> {
  const hosts = new Set(changes.hosts)
  if (changes.networks.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join ports p on p.id = b.port_id
      where b.host <> '' and p.network_id in (${sql.join([...changes.networks])})`.execute(db)
    for (const row of found.rows) hosts.add(row.host)
  }
  if (changes.groups.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join securitygroupportbindings s on s.port_id = b.port_id
      where b.host <> '' and s.security_group_id in (${sql.join([...changes.groups])})`.execute(db)
    for (const row of found.rows) hosts.add(row.host)
  }
  if (hosts.size > 0) await bus.fanout(l2AgentTopic, 'changed', { hosts: [...hosts] })
  const dhcp = new Set(changes.dhcpHosts)
  if (changes.dhcpNetworks.size > 0) {
    const found = await sql<HostRow>`
      select distinct a.host from agents a join networkdhcpagentbindings b on b.dhcp_agent_id = a.id
      where b.network_id in (${sql.join([...changes.dhcpNetworks])})`.execute(db)
    for (const row of found.rows) dhcp.add(row.host)
  }
  if (dhcp.size > 0) await bus.fanout(dhcpAgentTopic, 'changed', { hosts: [...dhcp] })
}

async function wakeFar({ db, bus }: { db: Kysely<Tables>; bus: Bus }, changes: Changes): Promise<void> {
  const hosts = new Set<string>()
  if (changes.neighbours.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join ports p on p.id = b.port_id
      join networksegments g on g.network_id = p.network_id
      where b.host <> '' and g.network_type = 'vxlan' and p.network_id in (${sql.join([...changes.neighbours])})`.execute(
      db,
    )
    for (const row of found.rows) hosts.add(row.host)
  }
  if (changes.members.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join securitygroupportbindings s on s.port_id = b.port_id
      where b.host <> '' and s.security_group_id in (
        select security_group_id from securitygrouprules
        where remote_group_id in (${sql.join([...changes.members])}))`.execute(db)
    for (const row of found.rows) hosts.add(row.host)
  }
  if (hosts.size > 0) await bus.fanout(l2AgentTopic, 'changed', { hosts: [...hosts] })
}
