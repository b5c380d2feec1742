/** Removes a port and all that hangs on it. */
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { tellDeleted } from '../events/tell.ts'
import { lockBindings } from '../store/port-parts.ts'
import { groupsOfPorts } from '../store/security-groups.ts'
import type { PortRow, Tables } from '../store/tables.ts'
import { deleteTagsOf } from '../store/tags.ts'
import type { Work } from '../work.ts'

const removePort = statement((db: Db<Tables>, p: { id: string }) =>
  db.deleteFrom('ports').where('id', '=', p.id),
)

/** Agents and compute are told after the commit. */
export async function deletePort(work: Work, port: PortRow): Promise<void> {
  const [binding] = await lockBindings(work.db, [port.id])
  const groups = (await groupsOfPorts(work.db, [port.id])).get(port.id) ?? []
  // Its addresses, binding, groups, pairs and options go with it.
  await removePort(work.db, { id: port.id })
  await deleteTagsOf(work.db, [port.id])
  const host = binding?.host ?? ''
  work.changes.port({
    id: port.id,
    networkId: port.network_id,
    hosts: host === '' ? [] : [host],
    groups,
    dhcp: true,
    moved: host !== '',
  })
  await tellDeleted(work, port)
}
