/** What a port waits for before it is ACTIVE: that its device is wired, and that DHCP would answer it. */
import { sql } from 'kysely'
import { tellStatus } from '../events/tell.ts'
import { dhcpAgentType, isAlive } from '../store/agents.ts'
import { inSlices } from '../store/slices.ts'
import { touch } from '../store/standard.ts'
import type { PortRow, ProvisioningBlockRow } from '../store/tables.ts'
import type { Work } from '../work.ts'

type Entity = ProvisioningBlockRow['entity']

/** A new port waits for DHCP to know it; the network's own ports do not. DHCP tells of each port once. */
export async function awaitDhcp(
  work: Work,
  port: Pick<PortRow, 'id' | 'network_id' | 'device_owner'>,
): Promise<void> {
  if (port.device_owner.startsWith('network:') || !(await isDhcpServed(work, port.network_id))) return
  await work.db.insertInto('provisioningblocks').values({ port_id: port.id, entity: 'DHCP' }).execute()
}

/** A port that is bound anew, or whose device went away, waits for its device. */
export async function awaitWiring(work: Work, portId: string): Promise<void> {
  await clear(work, [portId], 'L2')
  await work.db.insertInto('provisioningblocks').values({ port_id: portId, entity: 'L2' }).execute()
}

/** Nobody wires the port any more. */
export const forgetWiring = (work: Work, portId: string): Promise<void> => clear(work, [portId], 'L2')

async function clear(work: Work, portIds: readonly string[], entity: Entity): Promise<void> {
  await inSlices(portIds, async (slice) => {
    await work.db
      .deleteFrom('provisioningblocks')
      .where('port_id', 'in', slice)
      .where('entity', '=', entity)
      .execute()
    return []
  })
}

/** True when some subnet wants DHCP and an agent that is alive serves the network. */
export async function isDhcpServed(work: Work, networkId: string): Promise<boolean> {
  const agents = await sql<{ heartbeat_timestamp: string }>`
    select a.heartbeat_timestamp from agents a join networkdhcpagentbindings b on b.dhcp_agent_id = a.id
    where b.network_id = ${networkId} and a.admin_state_up = 1 and a.agent_type = ${dhcpAgentType}
      and exists (select 1 from subnets s where s.network_id = ${networkId} and s.enable_dhcp = 1)`.execute(
    work.db,
  )
  return agents.rows.some((agent) => isAlive(agent, work.now, work.options))
}

/** One of the things that these ports waited for is there; those that wait for nothing more are ACTIVE. */
export async function completeProvisioning(
  work: Work,
  portIds: readonly string[],
  entity: Entity,
): Promise<void> {
  await clear(work, portIds, entity)
  const ready = await inSlices(portIds, async (slice) => {
    const found = await sql<{ id: string }>`
      select p.id from ports p join ml2_port_bindings b on b.port_id = p.id
      where p.id in (${sql.join(slice)}) and p.status <> 'ACTIVE'
        and b.host <> '' and b.vif_type not in ('unbound', 'binding_failed')
        and not exists (select 1 from provisioningblocks w where w.port_id = p.id)`.execute(work.db)
    return found.rows
  })
  for (const port of ready) await setPortStatus(work, port.id, 'ACTIVE')
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
    if (!served.has(networkId)) served.set(networkId, await isDhcpServed(work, networkId))
  }
  const vain = rows.filter((row) => served.get(row.network_id) === false).map((row) => row.id)
  await completeProvisioning(work, vain, 'DHCP')
}

/** Changes a port's status and tells compute; the same status again is nothing new. */
export async function setPortStatus(work: Work, portId: string, status: 'ACTIVE' | 'DOWN'): Promise<void> {
  const changed = await work.db
    .updateTable('ports')
    .set({ status })
    .where('id', '=', portId)
    .where('status', '<>', status)
    .executeTakeFirst()
  if (changed.numUpdatedRows === 0n) return
  await touch(work, 'ports', portId)
  const port = await work.db
    .selectFrom('ports')
    .selectAll()
    .where('id', '=', portId)
    .executeTakeFirstOrThrow()
  await tellStatus(work, port)
}
