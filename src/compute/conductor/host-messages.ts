/** What the agents of a cell's hosts tell and ask of the cell's conductors. */
import type { PlacementClient } from '#placement/client.ts'
import type { RpcHandlers } from '../../base/bus/rpc.ts'
import type { conductorRpc } from '../rpc/conductor.ts'
import type { CellDb } from '../store/cell-dbs.ts'
import { unknownHosts } from '../store/compute-nodes.ts'
import { reportServices } from '../store/services.ts'
import { notePowerChange, type PowerSyncDeps, syncGuests } from './power-sync.ts'
import { type ResourceConfig, registerHosts } from './register-hosts.ts'

export interface HostMessagesDeps extends PowerSyncDeps {
  /** The cell whose agents' messages these are. */
  cell: CellDb
  placement: PlacementClient
  resources: ResourceConfig
  /** Makes it known in which cell a host is; left to others by who does not have that database. */
  mapHost?: (host: string) => Promise<void>
  /** Hosts started, or came with more or less than before. */
  onHosts?: () => void
}

export type HostMessages = Pick<
  RpcHandlers<typeof conductorRpc.methods>,
  'hostsStarted' | 'reportHosts' | 'powerChanged' | 'syncGuests'
>

export function hostMessages(deps: HostMessagesDeps): HostMessages {
  const { db } = deps.cell
  return {
    async hostsStarted({ hosts }) {
      await registerHosts(deps, hosts)
      deps.onHosts?.()
      return {}
    },
    async reportHosts({ hosts }) {
      await reportServices(db, 'nova-compute', 'compute', hosts)
      return { unknown: await unknownHosts(db, hosts) }
    },
    powerChanged: (change) => notePowerChange(deps, change),
    syncGuests: async (said) => ({ leftovers: await syncGuests(deps, said) }),
  }
}
