/** The tables of what belongs to ports. */
import { byIds } from './by-ids.ts'

export const readBindings = byIds((db, portIds) =>
  db.selectFrom('ml2_port_bindings').selectAll().where('port_id', 'in', portIds),
)

export const readAddressPairs = byIds((db, portIds) =>
  db.selectFrom('allowedaddresspairs').selectAll().where('port_id', 'in', portIds),
)

export const readDhcpOptions = byIds((db, portIds) =>
  db.selectFrom('extradhcpopts').selectAll().where('port_id', 'in', portIds),
)
