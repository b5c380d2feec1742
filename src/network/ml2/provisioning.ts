/** What a bound port waits for before it is ACTIVE: that its device is wired, and that DHCP would answer it. */
import { sql } from 'kysely'
import { tellStatus } from '../events/tell.ts'
import { dhcpAgentType, isAlive } from '../store/agents.ts'
import { touch } from '../store/standard.ts'
import type { PortRow, ProvisioningBlockRow } from '../store/tables.ts'
import type { Work } from '../work.ts'

type Entity = ProvisioningBlockRow['entity']

/** Owners whose ports come up without waiting for DHCP: they are DHCP's own, or the network's. */
const waitsForDhcp = (deviceOwner: string): boolean => !deviceOwner.startsWith('network:')

/** Makes a port wait, when it is bound anew. */
export async function startProvisioning(
  work: Work,
  port: Pick<PortRow, 'id' | 'network_id' | 'device_owner'>,
): Promise<void> {
  await work.db.deleteFrom('provisioningblocks').where('port_id', '=', port.id).execute()
  const entities: Entity[] = ['L2']
  if (waitsForDhcp(port.device_owner) && (await isDhcpServed(work, port.network_id))) entities.push('DHCP')
  await work.db
    .insertInto('provisioningblocks')
    .values(entities.map((entity) => ({ port_id: port.id, entity })))
    .execute()
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

/** One of the things that a port waited for is there; when it was the last, the port is ACTIVE. */
export async function completeProvisioning(work: Work, portId: string, entity: Entity): Promise<void> {
  const done = await work.db
    .deleteFrom('provisioningblocks')
    .where('port_id', '=', portId)
    .where('entity', '=', entity)
    .executeTakeFirst()
  if (done.numDeletedRows === 0n) return
  const left = await work.db
    .selectFrom('provisioningblocks')
    .select('entity')
    .where('port_id', '=', portId)
    .executeTakeFirst()
  if (left === undefined) await setPortStatus(work, portId, 'ACTIVE')
}

/** The device of a bound port went away: it waits for it again. */
export async function stopProvisioned(work: Work, port: PortRow): Promise<void> {
  await startProvisioning(work, port)
  await setPortStatus(work, port.id, 'DOWN')
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
