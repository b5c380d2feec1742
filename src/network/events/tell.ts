/** Which changes of a port compute is told. */
import { isUuid } from '../../base/ids.ts'
import type { PortRow } from '../store/tables.ts'
import type { Work } from '../work.ts'

type EventPort = Pick<PortRow, 'id' | 'device_id' | 'device_owner'>

/** Compute knows ports of its servers only. */
const isComputes = (port: EventPort): boolean =>
  (port.device_owner.startsWith('compute:') || port.device_owner.startsWith('baremetal:')) &&
  isUuid(port.device_id)

/** After its status changed. */
export async function tellStatus(work: Work, port: EventPort & Pick<PortRow, 'status'>): Promise<void> {
  if (!work.options.notifyNovaOnPortStatusChanges || !isComputes(port)) return
  if (port.status === 'ACTIVE') {
    await work.tellCompute({
      name: 'network-vif-plugged',
      server_uuid: port.device_id,
      tag: port.id,
      status: 'completed',
    })
  } else {
    await work.tellCompute({
      name: 'network-vif-unplugged',
      server_uuid: port.device_id,
      tag: port.id,
      status: 'completed',
    })
  }
}

/** After its addresses changed. */
export async function tellAddresses(work: Work, port: EventPort): Promise<void> {
  if (!work.options.notifyNovaOnPortDataChanges || !isComputes(port)) return
  await work.tellCompute({ name: 'network-changed', server_uuid: port.device_id, tag: port.id })
}

/** After it was deleted. */
export async function tellDeleted(work: Work, port: EventPort): Promise<void> {
  if (!work.options.notifyNovaOnPortDataChanges || !isComputes(port)) return
  await work.tellCompute({ name: 'network-vif-deleted', server_uuid: port.device_id, tag: port.id })
}
