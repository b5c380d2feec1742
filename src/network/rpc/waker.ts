/** Wakes agents after commits: many changes within a few milliseconds become one message. */

import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Bus } from '../../base/bus/bus.ts'
import type { Logger } from '../../base/log.ts'
import type { Tables } from '../store/tables.ts'
import { dhcpAgentTopic, l2AgentTopic } from './agents.ts'
import { Changes } from './changes.ts'

export interface Waker extends AsyncDisposable {
  wake(changes: Changes): void
}

const gatherMilliseconds = 5

export function createWaker(deps: { db: Kysely<Tables>; bus: Bus; log: Logger }): Waker {
  const pending = new Changes()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const flush = async (): Promise<void> => {
    const changes = new Changes()
    changes.add(pending)
    pending.clear()
    if (changes.empty) return
    try {
      const l2 = await l2Hosts(deps.db, changes)
      if (l2.length > 0) await deps.bus.fanout(l2AgentTopic, 'changed', { hosts: l2 })
      const dhcp = await dhcpHosts(deps.db, changes)
      if (dhcp.length > 0) await deps.bus.fanout(dhcpAgentTopic, 'changed', { hosts: dhcp })
    } catch (error) {
      // Agents look again on their own after a while.
      deps.log.warn({ err: error }, 'agents could not be woken')
    }
  }

  return {
    wake(changes) {
      pending.add(changes)
      timer ??= setTimeout(() => {
        timer = undefined
        running = running.then(flush)
      }, gatherMilliseconds)
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await running
      await flush()
    },
  }
}

interface HostRow {
  host: string
}

/** The hosts whose L2 agents are concerned. */
async function l2Hosts(db: Kysely<Tables>, changes: Changes): Promise<string[]> {
  const hosts = new Set(changes.hosts)
  const add = (rows: readonly HostRow[]) => {
    for (const row of rows) hosts.add(row.host)
  }
  if (changes.networks.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join ports p on p.id = b.port_id
      where b.host <> '' and p.network_id in (${sql.join([...changes.networks])})`.execute(db)
    add(found.rows)
  }
  if (changes.groups.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join securitygroupportbindings s on s.port_id = b.port_id
      where b.host <> '' and s.security_group_id in (${sql.join([...changes.groups])})`.execute(db)
    add(found.rows)
  }
  if (changes.members.size > 0) {
    const found = await sql<HostRow>`
      select distinct b.host from ml2_port_bindings b join securitygroupportbindings s on s.port_id = b.port_id
      where b.host <> '' and s.security_group_id in (
        select security_group_id from securitygrouprules
        where remote_group_id in (${sql.join([...changes.members])}))`.execute(db)
    add(found.rows)
  }
  return [...hosts]
}

/** The hosts whose DHCP agents are concerned. */
async function dhcpHosts(db: Kysely<Tables>, changes: Changes): Promise<string[]> {
  const hosts = new Set(changes.dhcpHosts)
  if (changes.dhcpNetworks.size > 0) {
    const found = await sql<HostRow>`
      select distinct a.host from agents a join networkdhcpagentbindings b on b.dhcp_agent_id = a.id
      where b.network_id in (${sql.join([...changes.dhcpNetworks])})`.execute(db)
    for (const row of found.rows) hosts.add(row.host)
  }
  return [...hosts]
}
