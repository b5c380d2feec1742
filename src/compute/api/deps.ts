/** What compute's API works with; `service.ts` puts it together. */
import type { Kysely } from 'kysely'
import type { ImageClient } from '#image/client.ts'
import type { DeviceGroups, NetworkClient } from '#network/client.ts'
import type { PlacementClient } from '#placement/client.ts'
import type { ComputeApiConfig } from '../config.ts'
import type { AgentClient } from '../rpc/agent.ts'
import type { ConductorClient } from '../rpc/conductor.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellDbs } from '../store/cell-dbs.ts'

/** Of Identity: whether a project is there, asked with the caller's own token. */
export interface ProjectLookup {
  /** Undefined when the caller may not ask. */
  projectExists(projectId: string, token: string): Promise<boolean | undefined>
}

export interface ApiDbDeps {
  apiDb: Kysely<ApiTables>
  config: ComputeApiConfig
}

export interface CellDeps extends ApiDbDeps {
  cells: CellDbs
}

export interface ProjectDeps extends ApiDbDeps {
  identity: ProjectLookup
}

export interface NetworkDeps {
  /** Network as the caller sees it. */
  networkFor(token: string): NetworkClient & {
    /** The names of the security groups on the ports of servers. */
    securityGroupsByDevice(servers: readonly string[]): ReturnType<DeviceGroups>
  }
}

/** What is told to conductors and asked of the agents on hosts. */
export interface EngineDeps {
  conductor: ConductorClient
  /** The agents of a cell's hosts. */
  agents: (cellId: number) => AgentClient
}

export interface HostDeps extends CellDeps, Pick<EngineDeps, 'conductor'> {
  placement: PlacementClient
}

export interface ImageDeps {
  /** Image as the caller sees it. */
  imagesFor(token: string): Pick<ImageClient, 'show' | 'list' | 'delete' | 'setProperties'>
}
