/** What of a stretch of the log all L2 agents would ask for alike, read once for them. */
import type { Kysely } from 'kysely'
import { readChanges } from '../store/agent-changes.ts'
import type { Tables } from '../store/tables.ts'
import type { News } from './agents.ts'
import { Changes, parseChanges } from './changes.ts'
import { membershipsOf } from './wanted-filter.ts'
import { type ForwardingDeps, placesOfAll } from './wanted-forwarding.ts'

/** Of more ports the message would be long: those whom it concerns ask then. */
const mostPorts = 500

export interface Stretch {
  /** To go on from. */
  revision: string
  /** Undefined when they have to ask. */
  news: News | undefined
}

/** The news since a revision, which is null for who begins now. */
export async function newsSince(deps: ForwardingDeps, since: string | null): Promise<Stretch> {
  const { revision, changes: logged } = await readChanges(deps.db, since)
  if (logged === undefined || logged.length === 0) return { revision, news: undefined }
  const all = new Changes()
  const hosts: Record<string, number> = {}
  const networks: Record<string, number> = {}
  const securityGroups: Record<string, number> = {}
  for (const row of logged) {
    const changes = parseChanges(row.changes)
    all.add(changes)
    for (const port of changes.ports.values()) for (const host of port.hosts) hosts[host] = row.revision
    for (const id of changes.networks) networks[id] = row.revision
    for (const id of changes.groups) securityGroups[id] = row.revision
  }
  if (all.everything || all.tunnelHosts.size > 0 || all.ports.size > mostPorts)
    return { revision, news: undefined }
  const [epoch, to] = revision.split(':') as [string, string]
  return {
    revision,
    news: {
      epoch,
      from: logged[0]!.revision - 1,
      to: Number(to),
      hosts,
      networks,
      securityGroups,
      members: await readMembers(deps.db, all),
      remotePorts: await placesOfAll(
        deps,
        [...all.ports.values()].filter((port) => port.moved),
      ),
    },
  }
}

const readMembers = (db: Kysely<Tables>, changes: Changes) =>
  membershipsOf(
    db,
    [...changes.ports.values()].flatMap((port) =>
      port.groups.map((groupId) => ({ groupId, portId: port.id })),
    ),
  )
