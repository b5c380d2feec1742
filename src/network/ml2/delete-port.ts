/** Removes a port and all that hangs on it. */
import { tellDeleted } from '../events/tell.ts'
import type { PortRow } from '../store/tables.ts'
import { deleteTagsOf } from '../store/tags.ts'
import type { Work } from '../work.ts'

export async function deletePort(work: Work, port: PortRow): Promise<void> {
  const [binding, groups] = [
    await work.db
      .selectFrom('ml2_port_bindings')
      .select('host')
      .where('port_id', '=', port.id)
      .executeTakeFirst(),
    await work.db
      .selectFrom('securitygroupportbindings')
      .select('security_group_id')
      .where('port_id', '=', port.id)
      .execute(),
  ]
  // Its addresses, binding, groups, pairs and options go with it.
  await work.db.deleteFrom('ports').where('id', '=', port.id).execute()
  await deleteTagsOf(work.db, [port.id])
  if (binding !== undefined && binding.host !== '') {
    work.changes.hosts.add(binding.host)
    work.changes.neighbours.add(port.network_id)
  }
  for (const group of groups) work.changes.members.add(group.security_group_id)
  work.changes.dhcpNetworks.add(port.network_id)
  await tellDeleted(work, port)
}
