/** What a port waits for before it is ACTIVE: that its device is wired, and that DHCP would answer it. */
import type { Db } from '../../base/db/database.ts'
import { insertStatement, statement } from '../../base/db/statement.ts'
import { tellStatus } from '../events/tell.ts'
import { isDhcpServed } from '../store/agents.ts'
import { byIds } from '../store/by-ids.ts'
import { lockBindings } from '../store/port-parts.ts'
import type { PortRow, ProvisioningBlockRow, Tables } from '../store/tables.ts'
import type { Work } from '../work.ts'

type Entity = ProvisioningBlockRow['entity']

const insertBlock = insertStatement<Tables, 'provisioningblocks'>('provisioningblocks')

const insertBothBlocks = statement((db: Db<Tables>, p: { portId: string }) =>
  db.insertInto('provisioningblocks').values([
    { port_id: p.portId, entity: 'L2' },
    { port_id: p.portId, entity: 'DHCP' },
  ]),
)

const deleteBlocksOf = (entity: Entity) =>
  byIds((db, portIds) =>
    db.deleteFrom('provisioningblocks').where('port_id', 'in', portIds).where('entity', '=', entity),
  )

const deleteBlocks: Record<Entity, ReturnType<typeof deleteBlocksOf>> = {
  L2: deleteBlocksOf('L2'),
  DHCP: deleteBlocksOf('DHCP'),
}

/** What a new port waits for: for its device, and for DHCP to know it. DHCP tells of each port once. */
export async function awaitFirst(
  work: Work,
  portId: string,
  { wiring, dhcp }: { wiring: boolean; dhcp: boolean },
): Promise<void> {
  if (wiring && dhcp) await insertBothBlocks(work.db, { portId })
  else if (wiring || dhcp) await insertBlock(work.db, { port_id: portId, entity: wiring ? 'L2' : 'DHCP' })
}

/** A port that is bound anew, or whose device went away, waits for its device. */
export async function awaitWiring(work: Work, portId: string): Promise<void> {
  await forgetWiring(work, portId)
  await insertBlock(work.db, { port_id: portId, entity: 'L2' })
}

/** Nobody wires the port any more. */
export async function forgetWiring(work: Work, portId: string): Promise<void> {
  await deleteBlocks.L2(work.db, [portId])
}

const readReady = byIds((db, portIds) =>
  db
    .selectFrom('ports')
    .innerJoin('ml2_port_bindings', 'ml2_port_bindings.port_id', 'ports.id')
    .selectAll('ports')
    .where('ports.id', 'in', portIds)
    .where('ports.status', '<>', 'ACTIVE')
    .where('ml2_port_bindings.segment_id', 'is not', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('provisioningblocks')
            .select('entity')
            .whereRef('provisioningblocks.port_id', '=', 'ports.id'),
        ),
      ),
    ),
)

/** One of the things that these ports waited for is there; those that wait for nothing more are ACTIVE. */
export async function completeProvisioning(
  work: Work,
  portIds: readonly string[],
  entity: Entity,
): Promise<void> {
  // Another server may hear of the other thing at this moment: each would see what the other has not committed yet as
  // still waited for, and the port would never be ACTIVE.
  await lockBindings(work.db, portIds)
  await completeLocked(work, { [entity]: portIds })
}

/** The same for what several ports waited for, whose bindings this transaction has locked. */
export async function completeLocked(
  work: Work,
  done: Partial<Record<Entity, readonly string[]>>,
): Promise<void> {
  for (const [entity, portIds] of Object.entries(done)) await deleteBlocks[entity as Entity](work.db, portIds)
  const all = [...new Set(Object.values(done).flat())]
  for (const port of await readReady(work.db, all)) await changePortStatus(work, port, 'ACTIVE')
}

/** Ports of networks that no living agent serves any more wait for DHCP in vain. */
export async function releaseUnserved(work: Work): Promise<void> {
  const rows = await work.db
    .selectFrom('provisioningblocks')
    .innerJoin('ports', 'ports.id', 'provisioningblocks.port_id')
    .select(['ports.id', 'ports.network_id'])
    .where('entity', '=', 'DHCP')
    .execute()
  const served = new Map<string, boolean>()
  for (const { network_id: networkId } of rows) {
    if (!served.has(networkId))
      served.set(networkId, await isDhcpServed(work.db, networkId, work.now, work.options))
  }
  const vain = rows.filter((row) => served.get(row.network_id) === false).map((row) => row.id)
  await completeProvisioning(work, vain, 'DHCP')
}

const changeStatus = statement((db: Db<Tables>, p: { portId: string; status: string; now: string }) =>
  db
    .updateTable('ports')
    .set((eb) => ({
      status: p.status,
      revision_number: eb('revision_number', '+', 1),
      updated_at: p.now,
    }))
    .where('id', '=', p.portId)
    .where('status', '<>', p.status),
)

const readPort = statement((db: Db<Tables>, p: { id: string }) =>
  db.selectFrom('ports').selectAll().where('id', '=', p.id),
)

/** Changes a port's status and tells compute; the same status again is nothing new. */
export async function setPortStatus(work: Work, portId: string, status: 'ACTIVE' | 'DOWN'): Promise<void> {
  const { rows } = await readPort(work.db, { id: portId })
  if (rows[0] !== undefined) await changePortStatus(work, rows[0], status)
}

async function changePortStatus(work: Work, port: PortRow, status: 'ACTIVE' | 'DOWN'): Promise<void> {
  const { changed } = await changeStatus(work.db, { portId: port.id, status, now: work.now })
  if (changed > 0) await tellStatus(work, { ...port, status })
}
