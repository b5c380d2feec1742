/** The tables of what belongs to ports. */
import { byIds } from './by-ids.ts'

export const readBindings = byIds((db, portIds) =>
  db.selectFrom('ml2_port_bindings').selectAll().where('port_id', 'in', portIds),
)

/**
 * The bindings of ports, for a change of these ports: who else changes or deletes one of them waits until this
 * transaction ended, so that the hosts and groups which it notes for agents are those that there are.
 */
export const lockBindings = byIds((db, portIds) =>
  db
    .selectFrom('ml2_port_bindings')
    .selectAll()
    .where('port_id', 'in', portIds)
    .orderBy('port_id')
    .forUpdate(),
)

export const readAddressPairs = byIds((db, portIds) =>
  db
    .selectFrom('allowedaddresspairs')
    .selectAll()
    .where('port_id', 'in', portIds)
    .orderBy('port_id')
    .orderBy('mac_address')
    .orderBy('ip_address'),
)

export const readDhcpOptions = byIds((db, portIds) =>
  db
    .selectFrom('extradhcpopts')
    .selectAll()
    .where('port_id', 'in', portIds)
    .orderBy('port_id')
    .orderBy('opt_name')
    .orderBy('ip_version'),
)
