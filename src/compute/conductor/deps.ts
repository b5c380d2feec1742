import type { Kysely } from 'kysely'
import type { NetworkClient } from '#network/client.ts'
import type { PlacementClient } from '#placement/client.ts'
import type { Logger } from '../../base/log.ts'
import type { Cells } from '../cells/open-cells.ts'
import type { AgentClient } from '../rpc/agent.ts'
import type { HostDirectory } from '../scheduler/host-directory.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { NetworkDirectory } from './network-directory.ts'
import type { VifWaits } from './vif-waits.ts'

export interface ConductorConfig {
  /** `vif_plugging_timeout`; 0: a guest is not kept waiting for its ports. */
  vifPluggingTimeoutSeconds: number
  /** `vif_plugging_is_fatal`. */
  vifPluggingIsFatal: boolean
  /** `[scheduler] max_attempts`: hosts that a build is tried on. */
  maxAttempts: number
  /** `shutdown_timeout`: how long a guest may take to shut down by itself. */
  shutdownTimeoutSeconds: number
  /** `force_config_drive`. */
  forceConfigDrive: boolean
}

export const defaultConductorConfig: ConductorConfig = {
  vifPluggingTimeoutSeconds: 300,
  vifPluggingIsFatal: true,
  maxAttempts: 3,
  shutdownTimeoutSeconds: 60,
  forceConfigDrive: false,
}

/** What flows work with. */
export interface ConductorDeps {
  apiDb: Kysely<ApiTables>
  cells: Cells
  placement: PlacementClient
  network: NetworkClient
  networks: NetworkDirectory
  /** The agents of a cell's hosts. */
  agents: (cellId: number) => AgentClient
  scheduler: Scheduler
  directory: HostDirectory
  vifs: VifWaits
  config: ConductorConfig
  log: Logger
}
