/** Binds ports to hosts: the first mechanism driver that can wire the port there decides how. */
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import { Fault } from '../../base/errors.ts'
import type { NetworkOptions } from '../config.ts'
import { workingAgents } from '../store/agents.ts'
import type { AgentRow, PortBindingRow, SegmentRow, Tables } from '../store/tables.ts'
import type { Work } from '../work.ts'
import type { MechanismDriver } from './mechanism-driver.ts'
import { linuxbridgeMechanism } from './mechanisms/linuxbridge.ts'

const makers = { linuxbridge: linuxbridgeMechanism } as const

/** The mechanism drivers of the configuration, in its order. */
export function mechanismDrivers(options: NetworkOptions): MechanismDriver[] {
  return options.mechanismDrivers.map((name) => {
    const maker = (makers as Record<string, ((options: NetworkOptions) => MechanismDriver) | undefined>)[name]
    if (maker !== undefined) return maker(options)
    const known = Object.keys(makers).join(', ')
    throw new Fault('invalid', `[ml2] mechanism_drivers names ${name}; there is ${known}.`)
  })
}

const readSegments = statement((db: Db<Tables>, p: { networkId: string }) =>
  db.selectFrom('networksegments').selectAll().where('network_id', '=', p.networkId).orderBy('segment_index'),
)

export interface BindablePort {
  id: string
  networkId: string
  host: string
  vnicType: string
  profile: string
  /** Of the network, and the host's working ones, where they are known already. */
  segments?: readonly SegmentRow[]
  agents?: readonly AgentRow[]
}

/** The binding of a port as it is now to be; without a host it is unbound. */
export async function bind(
  work: Work,
  mechanisms: readonly MechanismDriver[],
  port: BindablePort,
): Promise<PortBindingRow> {
  const row = {
    port_id: port.id,
    host: port.host,
    vnic_type: port.vnicType,
    profile: port.profile,
    vif_details: '{}',
    segment_id: null,
  }
  if (port.host === '') return { ...row, vif_type: 'unbound' }
  const agents = port.agents ?? (await workingAgents(work.db, port.host, work.now, work.options))
  const segments = port.segments ?? (await readSegments(work.db, { networkId: port.networkId })).rows
  const request = {
    portId: port.id,
    networkId: port.networkId,
    host: port.host,
    vnicType: port.vnicType,
    segments,
    agents,
  }
  for (const mechanism of mechanisms) {
    const binding = mechanism.bindPort(request)
    if (binding === undefined) continue
    return {
      ...row,
      vif_type: binding.vifType,
      vif_details: JSON.stringify(binding.vifDetails),
      segment_id: binding.segmentId,
    }
  }
  return { ...row, vif_type: 'binding_failed' }
}

/** True when somebody wires the port. */
export const isBound = (binding: Pick<PortBindingRow, 'vif_type'>): boolean =>
  binding.vif_type !== 'unbound' && binding.vif_type !== 'binding_failed'
