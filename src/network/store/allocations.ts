import type { Db } from '../../base/db/database.ts'
import { insertStatement } from '../../base/db/statement.ts'
import type { AllocatedIp } from '../ipam/allocate.ts'
import { byIds } from './by-ids.ts'
import { groupBy } from './slices.ts'
import type { AllocationRow, Tables } from './tables.ts'

const readAllocations = byIds((db, ids) =>
  db.selectFrom('ipallocations').selectAll().where('port_id', 'in', ids).orderBy('position'),
)

/** The addresses of ports, in the order they were given. */
export async function allocationsOf(
  db: Db<Tables>,
  portIds: readonly string[],
): Promise<Map<string, AllocationRow[]>> {
  return groupBy(await readAllocations(db, portIds), (row) => row.port_id)
}

const insertAllocation = insertStatement<Tables, 'ipallocations'>('ipallocations')

/** Gives a port these addresses besides those it has. */
export async function insertAllocations(
  db: Db<Tables>,
  port: { id: string; networkId: string },
  ips: readonly AllocatedIp[],
  firstPosition = 0,
): Promise<void> {
  if (ips.length === 0) return
  const rows = ips.map((ip, index) => ({
    subnet_id: ip.subnetId,
    ip_address: ip.ipAddress,
    network_id: port.networkId,
    port_id: port.id,
    position: firstPosition + index,
  }))
  for (const row of rows) await insertAllocation(db, row)
}

export async function deleteAllocations(
  db: Db<Tables>,
  portId: string,
  ips: readonly AllocatedIp[],
): Promise<void> {
  for (const ip of ips) {
    await db
      .deleteFrom('ipallocations')
      .where('port_id', '=', portId)
      .where('subnet_id', '=', ip.subnetId)
      .where('ip_address', '=', ip.ipAddress)
      .execute()
  }
}
